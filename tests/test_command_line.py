import subprocess
import sys
from types import SimpleNamespace

import pytest

from ontogeny.__main__ import main
from ontogeny.commands.job import hide_closed_loops


def test_only_tracebacks_of_closed_loops_are_hidden(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)
    hide_closed_loops()
    faults = [SimpleNamespace(exc_value=RuntimeError(text)) for text in ("Event loop is closed", "another")]
    for fault in faults:
        sys.unraisablehook(fault)
    assert shown == faults[1:]


@pytest.mark.parametrize("content", [None, "", "{cut"])
def test_a_specification_that_cannot_be_read_is_named(tmp_path, capsys, content):
    path = tmp_path / "index_page.specification.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit):
        main(["index_page", "--results", str(tmp_path), "--specification", str(path)])
    assert f"{path} cannot be read" in capsys.readouterr().err


@pytest.mark.end_to_end
def test_a_network_that_exits_ends_its_job_with_a_line(tmp_path):
    lines = ["import sys", "from flax import nnx", "class Net(nnx.Module):", "    def __init__(self, shape, rngs):"]
    lines += ["        self.a = nnx.Param(rngs.params.normal((2,)))", "    def __call__(self, x):", "        sys.exit(0)"]
    (tmp_path / "mine.py").write_text("\n".join(lines))
    (tmp_path / "train.specification.json").write_text(
        '{"task": {"kind": "sparse_features"}, "model": {"kind": "mine.py:Net"}, "seeds": [0], "lanes": [0], "code": "",'
        ' "training": {"optimizer": {"learning_rate": 0.1}, "steps": 2}, "checkpoints": {"linear": 2}}'
    )
    command = [sys.executable, "-m", "ontogeny", "train", "--results", "results", "--family", "a", "--variant", "base"]
    command += ["--block", "seed~0", "--specification", "train.specification.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "train a/base seed~0 cannot go on: the code exits with status 0" in done.stderr
    assert "mine.py line 7: sys.exit(0)" in done.stderr and "Traceback" not in done.stderr
