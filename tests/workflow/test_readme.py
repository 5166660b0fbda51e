"""The README says what is true: its rule graph is the workflow's, its example of the library runs."""

import re

import pytest
from small_study import ROOT, Study

README = (ROOT / "README.md").read_text()
ARROWS = re.compile(r"(\w+) --> (\w+)")


def drawn() -> set[tuple[str, str]]:
    return set(ARROWS.findall(re.search(r"```mermaid\n(.*?)```", README, re.DOTALL)[1]))


def test_the_rule_graph_is_the_workflows():
    done = Study(ROOT).without_jobs("--quiet", "--rulegraph", "mermaid-js", "--forceall")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    edges = {(names[one], names[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", done.stdout)}
    assert edges, done.stdout
    assert drawn() == edges


@pytest.mark.end_to_end
@pytest.mark.filterwarnings("ignore")
def test_the_example_of_the_library_runs(capsys):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    exec(compile(code, "README.md", "exec"), {})
    assert "standard_error" in capsys.readouterr().out


def test_the_files_that_the_readme_links_to_are_there():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
