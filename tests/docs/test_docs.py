"""The docs say what is true: the reference of keys is current, and the code of the pages runs."""

import json
import re

import pytest
from small_study import ROOT

from ontogeny.config.reference import reference


def code_of(page: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL))


def test_the_reference_of_keys_is_current():
    written = (ROOT / "docs" / "reference" / "config.md").read_text()
    assert written == reference(), "run `python -m ontogeny.config.reference > docs/reference/config.md`"


def test_every_key_of_a_section_has_its_type_and_its_sentence():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .*? \| (.*?) \|$", reference(), re.MULTILINE)
    assert len(rows) > 100
    assert [name for name, kind, meaning in rows if not kind or not meaning] == []


def test_the_notebook_is_the_tutorial():
    cells = json.loads((ROOT / "examples" / "your_own_model.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    assert code == code_of("tutorial/your-own-model.md")


@pytest.mark.end_to_end
@pytest.mark.filterwarnings("ignore")
def test_the_tutorial_of_ones_own_model_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values: dict = {}
    exec(compile(code_of("tutorial/your-own-model.md"), "your-own-model.md", "exec"), values)
    assert values["estimate"].steps.tolist() == list(range(0, 1001, 100))
    assert "standard_error" in capsys.readouterr().out and values["figure"].data
    assert "sign of a product" in (tmp_path / "report.html").read_text()
