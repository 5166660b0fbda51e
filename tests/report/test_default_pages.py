"""The pages of the default study in a real browser: `ontogeny run`, then `pytest -m slow`."""

import json

import pytest
from browser import BROWSER, Page, started
from small_study import ROOT

RESULTS = ROOT / "results"
POLYGON, INDUCTION = "superposition/base/seed~0", "induction/layers~2/seed~0"
NAMED = {POLYGON: "4-gon → 5-gon", INDUCTION: "induction-head formation"}
PAINTED = "performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)"
RANGE = "document.getElementById('overview').layout.xaxis.range"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome is installed")]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with started(tmp_path_factory.mktemp("browser")) as browser:

        def open_page(name: str) -> Page:
            path = RESULTS / name
            if not path.is_file():
                pytest.fail(f"{path} is missing; run the default study first: snakemake --cores all")
            page = Page(browser)
            page.open(path.as_uri())
            return page

        yield open_page


def text_of(page: Page, selector: str) -> list[str]:
    return page.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent)")


def named_candidate(run: str) -> dict:
    found = json.loads((RESULTS / run / "transitions.json").read_text())["candidates"]
    return next(candidate for candidate in found if candidate["name"] == NAMED[run])


def test_what_each_family_shows_is_on_the_first_screen_of_the_index(opened):
    page = opened("report/index.html")
    low = page.value("[...document.querySelectorAll('.headline')].map((one) => one.getBoundingClientRect().bottom)")
    assert len(low) == 2 and max(low) < 900
    induction, polygon = text_of(page, ".headline")
    assert induction.startswith("Induction-head formation: layers = 2 near step") and "layers = 1 in none" in induction
    assert polygon.startswith("4-gon → 5-gon: near step")


def test_the_feature_vectors_are_shown_before_and_after_the_passage(opened):
    strip = "".join(text_of(opened(f"{POLYGON}/report.html"), "#network ~ *"))
    assert strip.index("start") < strip.index("before 1") < strip.index("after 1")
    assert "4 corners" in strip.partition("before 1")[2][:30] and "5 corners" in strip.partition("after 1")[2][:30]


def test_the_attention_of_every_head_is_shown_before_and_after_each_candidate(opened):
    page = opened(f"{INDUCTION}/report.html")
    words = "".join(text_of(page, "#network ~ *"))
    count = len(json.loads((RESULTS / INDUCTION / "transitions.json").read_text())["candidates"])
    assert all(f"before {number}" in words and f"after {number}" in words for number in range(1, count + 1))
    assert all(f"layer {layer} head {head}" in words for layer in (0, 1) for head in (0, 1))


@pytest.mark.parametrize("run", NAMED)
def test_a_click_on_a_named_candidate_zooms_to_it(opened, run):
    page = opened(f"{run}/report.html")
    found = json.loads((RESULTS / run / "transitions.json").read_text())["candidates"]
    number = [candidate["start"] for candidate in found].index(named_candidate(run)["start"]) + 1
    before = page.value(RANGE)
    page.click(f"[data-candidate='{number}']")
    after = page.value(RANGE)
    assert after[1] - after[0] < 0.9 * (before[1] - before[0])


@pytest.mark.parametrize("name", ["report/index.html", "superposition/report.html", *(f"{run}/report.html" for run in NAMED)])
def test_a_page_asks_nothing_of_anyone_and_is_painted_within_a_second(opened, name):
    opened(name)
    page = opened(name)  # with the disk warm
    assert all(address.startswith(RESULTS.as_uri()) for address in page.requests) and page.console == []
    page.wait(f"{PAINTED}.length")
    assert page.value(PAINTED)[0] < 1000
