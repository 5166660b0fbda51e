import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ontogeny.report.assets import write_plotly
from ontogeny.report.family_page import family_page
from ontogeny.report.index_page import index_page
from ontogeny.report.pages import embedded
from ontogeny.report.run_page import run_page
from ontogeny.report.tables import FamilySummary
from ontogeny.report.views import flattened
from ontogeny.report.words import study_title

PLOTLY = "../../../report/assets/plotly-1.min.js"
LINKS = {
    "index": "../../../report/index.html",
    "family": "../../report.html",
    "next": "../seed~4/report.html",
    "trajectory.csv": "trajectory.csv",
    "plotly": PLOTLY,
}
VOID = {"meta", "link", "input", "br", "line", "polyline"}


class Outline(HTMLParser):
    """What a page is made of; fails on elements that are not closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.headings, self.identifiers, self.addresses, self.plots, self.text = [], [], [], [], [], []
        self.feed(re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL))
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.addresses += [attributes[name] for name in ("href", "src") if name in attributes]
        self.identifiers += [attributes["id"]] if "id" in attributes else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        if attributes.get("class") == "plot":
            self.plots.append(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page_data(page):
    return json.loads(re.search(r'id="page-data">(.*?)</script>', page, flags=re.DOTALL)[1])


def family(runs, **more):
    return FamilySummary(family="induction", description="", runs=runs, href="../induction/report.html", **more)


@pytest.fixture(scope="module")
def pages(polygon, induction, bare, summaries, make_consensus):
    consensus = {"layers~1": make_consensus(), "layers~2": induction.consensus}
    return {
        "polygon": run_page(polygon, LINKS),
        "induction": run_page(induction, LINKS),
        "bare": run_page(bare, {"plotly": PLOTLY}),
        "family": family_page(family(summaries, consensus=consensus), {"index": "../report/index.html", "plotly": PLOTLY}),
        "empty family": family_page(FamilySummary(family="none", description="", runs=[]), {"plotly": PLOTLY}),
        "index": index_page([family(summaries, consensus=consensus), FamilySummary(family="none", description="", runs=[])], {}),
        "empty index": index_page([], {}),
    }


ALL = ["polygon", "induction", "bare", "family", "empty family", "index", "empty index"]


def test_the_index_is_called_by_its_families(pages):
    assert "<title>ontogeny: induction, none</title>" in pages["index"]
    assert study_title(["a", "b", "c", "d", "e", "f"]) == "ontogeny: a, b, c, d, 2 more"


@pytest.mark.parametrize("name", ALL)
def test_pages_are_well_formed_and_ask_nothing_of_the_network(pages, name):
    outline = Outline(pages[name])
    assert len(set(outline.identifiers)) == len(outline.identifiers)
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert not [address for address in outline.addresses if re.match(r"(https?:)?//", address)]
    assert len(pages[name].encode()) < 1e6
    assert '<html lang="en">' in pages[name]


@pytest.mark.parametrize("name", ["polygon", "induction", "bare", "family"])
def test_every_figure_has_its_place_and_its_words(pages, name):
    plots = {attributes["id"]: attributes for attributes in Outline(pages[name]).plots}
    data = page_data(pages[name])
    assert set(data["figures"]) == set(plots) - {"traces"}
    assert ("traces" in plots) == bool(data["traces"])
    assert all(len(attributes["aria-label"]) > 20 for attributes in plots.values())


def test_the_step_axis_starts_as_the_checkpoints_lie(pages):
    assert not page_data(pages["polygon"])["logarithmic"]
    assert page_data(pages["induction"])["logarithmic"]
    assert page_data(pages["polygon"])["last"] == 225_000


def test_a_page_names_plotly_or_carries_it(bare, pages):
    assert f'<script src="{PLOTLY}"></script>' in pages["bare"] and f'<a href="{PLOTLY}">' in pages["bare"]
    alone = run_page(bare, {})
    assert "<script src" not in alone and len(alone) > 4e6
    assert "This page needs no network and no other file." in alone


def test_plotly_is_written_once_and_again_where_it_is_damaged(tmp_path):
    address = write_plotly(tmp_path)
    written = (tmp_path / address).stat()
    assert re.fullmatch(r"report/assets/plotly-[\d.]+\.min\.js", address) and written.st_size > 4e6
    assert write_plotly(tmp_path) == address and (tmp_path / address).stat().st_ino == written.st_ino
    (tmp_path / address).write_text("half")
    write_plotly(tmp_path)
    assert (tmp_path / address).stat().st_size == written.st_size


def test_a_run_page_tells_candidates_settings_and_links(pages):
    text = " ".join(Outline(pages["induction"]).text)
    assert "induction-head formation" in text and "a lower loss is bought with more complexity" in text
    assert "inverse_temperature" in text and '"kind": "transformer"' in text
    assert "in 2 of 2 seeds" in text
    assert (
        '<a href="../../report.html">' in pages["induction"]
        and '<a href="trajectory.csv">trajectory.csv</a>' in pages["induction"]
    )


def test_a_run_page_leads_to_the_seeds_beside_it(pages):
    assert '<a href="../seed~4/report.html" rel="next">' in pages["polygon"]
    assert 'rel="prev"' not in pages["polygon"]


def test_undecided_curves_are_told(pages):
    assert "feature norm of features.0: constant" in " ".join(Outline(pages["polygon"]).text)


def test_what_is_missing_is_said(pages):
    text = " ".join(Outline(pages["bare"]).text)
    for words in (
        "Nothing has been measured",
        "Transitions have not been looked for",
        "was not sampled",
        "No traces were kept",
        "Nothing was recorded",
    ):
        assert words in text
    assert "No run of this family is there yet." in pages["empty family"]
    assert "The study has no family yet." in pages["empty index"]


def test_a_family_without_transitions_differs_from_one_not_compared(pages, summaries):
    assert "No seed shows a transition." in pages["family"]
    assert "have not been compared" in family_page(family(summaries), {})


def test_text_of_the_user_cannot_leave_its_place(pages):
    assert "</script><b>" not in pages["polygon"]
    assert "&lt;/script&gt;&lt;b&gt;" in pages["polygon"]
    assert "</script>" not in embedded({"name": "</script><b>"})
    assert json.loads(embedded({"name": "</script><b>"})) == {"name": "</script><b>"}


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded({"x": float("nan")})


def test_the_index_leads_to_every_run_and_needs_no_script_for_it(pages):
    addresses = Outline(pages["index"]).addresses
    assert {f"layers~{layers}/seed~{seed}/report.html" for layers in (1, 2) for seed in (0, 1)} <= set(addresses)
    assert "../induction/report.html" in addresses
    assert pages["index"].count("<polyline") == 8
    text = " ".join(Outline(pages["index"]).text)
    assert text.index("Induction-head formation: layers = 2 near step 700 in 2 of 2 seeds") < text.index("All runs")


def test_settings_are_flattened_under_dotted_names():
    nested = {"train": {"machine": {"devices": ["cpu", "cpu"]}, "commit": None}, "step_size": 1e-4}
    assert flattened(nested) == [("train.machine.devices", "cpu, cpu"), ("train.commit", "none"), ("step_size", "0.0001")]


def test_the_same_input_gives_the_same_page(pages, polygon):
    assert run_page(polygon, LINKS) == pages["polygon"]


def test_a_family_whose_llc_fails_its_checks_says_so(summaries):
    failed = [replace(run, trajectory=run.trajectory.assign(verdict="r_hat")) for run in summaries[:1]]
    told = "λ̂ could not be judged in 1 of 2 runs: it passes its checks at fewer than 8 checkpoints."
    assert told in family_page(family([*failed, summaries[1]]), {})
    assert "could not be judged" not in family_page(family(summaries), {})
