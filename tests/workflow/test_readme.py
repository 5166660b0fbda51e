"""The README and CONTRIBUTING.md say what is true: the rule graph is the workflow's, the links lead somewhere."""

import re

from small_study import ROOT, Study

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
ARROWS = re.compile(r"(\w+) --> (\w+)")


def drawn() -> set[tuple[str, str]]:
    return set(ARROWS.findall(re.search(r"```mermaid\n(.*?)```", CONTRIBUTING, re.DOTALL)[1]))


def test_the_rule_graph_is_the_workflows():
    done = Study(ROOT).without_jobs("--quiet", "--rulegraph", "mermaid-js", "--forceall")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    edges = {(names[one], names[other]) for one, other in re.findall(r"(id\d+) --> (id\d+)", done.stdout)}
    assert edges, done.stdout
    assert drawn() == edges


def test_the_files_that_the_readme_links_to_are_there():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README + CONTRIBUTING) if not link.startswith("http")]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
