"""`ontogeny run` in a folder of its own, with the workflow that travels in the wheel."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from small_study import ROOT, Study, make_study

from ontogeny.commands.workflow import snakefile
from ontogeny.config.reading import read_study
from ontogeny.pipeline.plan import Plan

COMMAND = [sys.executable, "-m", "ontogeny"]


def ontogeny(folder: Path, *arguments: str, packages: Path = ROOT / "src") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, env=environment, timeout=1800)


def test_a_clone_runs_its_own_workflow():
    assert snakefile() == ROOT / "Snakefile"


def test_a_job_that_was_interrupted_runs_again_though_what_was_made_of_it_is_there(recorded, tmp_path):
    study = Study(shutil.copytree(recorded.folder, tmp_path / "study"))
    plan = Plan(*read_study(study.folder / "config.yaml"), Path())
    sample = study.folder / "results" / "toy/base/jobs/seeds~0-7/sample.json"
    sample.with_name("sample.specification.json").write_text(plan.specification("sample", "toy", "base", "seeds~0-7"))
    assert study.planned("toy") == {}
    sample.unlink()
    assert {"sample": 1, "estimate": 1, "detect": 1}.items() <= study.planned("toy").items()


@pytest.mark.end_to_end
def test_a_family_that_the_study_does_not_have_is_answered_by_the_nearest(tmp_path):
    done = ontogeny(make_study(tmp_path).folder, "run", "inductoin", "--dry-run")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "The study has no family 'inductoin'. Did you mean induction?\n"


@pytest.mark.end_to_end
def test_the_wheel_holds_the_workflow_and_runs_it(tmp_path):
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    if not Path(uv).is_file():
        pytest.skip("uv is not installed")
    subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)], check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        wheel.extractall(tmp_path / "packages")
    inside = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("workflow/r*/*.*")} | {
        "Snakefile",
        "profiles/default/config.yaml",
    }
    assert {f"ontogeny/_workflow/{name}" for name in inside} | {"ontogeny/py.typed", "ontogeny/commands/config.yaml"} <= names
    study = make_study(tmp_path / "study")
    done = ontogeny(study.folder, "run", "toy", "--dry-run", packages=tmp_path / "packages")
    assert done.returncode == 0 and "index_page" not in done.stdout and "family_page" in done.stdout, done.stderr
    assert f"{tmp_path}/packages/ontogeny/_workflow/profiles/default" in done.stderr


@pytest.mark.end_to_end
def test_a_study_runs_in_few_lines_and_then_has_nothing_to_run(copied):
    done = ontogeny(copied.folder, "run", "--cores", "2", "--forcerun", "estimate")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) <= 60 and done.stderr == "", done.stdout + done.stderr
    assert lines[0].startswith("11 jobs to run, about ") and " on 2 at a time" in lines[0]
    assert len([line for line in lines if line.startswith("[")]) == 11
    assert [line.partition(":")[0] for line in lines[-5:]] == ["toy", "induction", "checks", "page", "cost"]
    assert "cost: 11 jobs in " in lines[-1]
    assert "21 of 21 jobs are done." in ontogeny(copied.folder, "status").stdout
    again = ontogeny(copied.folder, "run").stdout.splitlines()
    assert again[:-1] == lines[-5:-1] and "nothing to run" in again[-1]


@pytest.mark.end_to_end
def test_a_job_that_fails_is_told_last_and_once(copied):
    (copied.folder / "mine.py").write_text("import sys\nsys.exit(2)\nNet = 1\n")
    copied.edit("model: {kind: superposition, start: {polygon: 4, noise: 0.05}}", "model: {kind: mine.py:Net}")
    done = ontogeny(copied.folder, "run", "--cores", "2")
    assert done.returncode == 1 and done.stderr.count("sys.exit(2)") == 1 and "mine.py" not in done.stdout
    first, second, *logs = done.stderr.splitlines()
    assert first.startswith("train toy/base seed~") and first.endswith("SystemExit: 2 (line 2: sys.exit(2))")
    assert '"lanes"' not in done.stderr and "CalledProcessError" not in done.stderr
    assert all(line.startswith("  Its log: results/toy/base/jobs/") for line in (second, *logs))


@pytest.mark.long
def test_an_interrupt_ends_the_jobs_and_the_study_goes_on_later(copied):
    copied.edit("draws: 20", "draws: 25")
    command = [*COMMAND, "run", "toy", "--cores", "1"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=copied.folder, text=True, start_new_session=True, **streams)
    log = copied.folder / "results/toy/base/jobs/seeds~0-7/sample.log"
    began = time.time()
    while log.stat().st_mtime < began and time.time() < began + 600:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate(timeout=600)
    assert process.returncode == 130 and error == "", error
    assert re.fullmatch(r"Stopped after \d of \d+ jobs\. `ontogeny run` goes on from there\.", out.splitlines()[-1]), out
    assert "sample toy/base" in ontogeny(copied.folder, "diff").stdout or copied.planned("toy")["sample"] == 1
    done = ontogeny(copied.folder, "run", "toy", "--cores", "2")
    assert done.returncode == 0 and copied.planned("toy") == {}, done.stderr
