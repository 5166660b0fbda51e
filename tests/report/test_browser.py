"""The pages in a real browser: what they say first, what a click does, and that they ask nothing of anyone."""

import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from browser import BROWSER, Page, started

from ontogeny.report.assets import write_plotly
from ontogeny.report.family_page import family_page
from ontogeny.report.index_page import index_page
from ontogeny.report.pictures.drawing import heat_map
from ontogeny.report.pictures.film import Film, Picture, run_picture
from ontogeny.report.run_page import run_page
from ontogeny.report.tables import FamilySummary

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome is installed")]
NAMES = ("polygon", "induction", "bare", "family", "index")
DRAWN = "document.querySelectorAll('.js-plotly-plot').length"
UNFOLD = "document.querySelectorAll('details.section').forEach((fold) => { fold.open = true; })"


@pytest.fixture(scope="module")
def site(tmp_path_factory, polygon, induction, bare, summaries):
    """A folder with the pages beside one plotly.js, as they lie in the results."""
    folder = tmp_path_factory.mktemp("site")
    links = {"plotly": write_plotly(folder), "index": "index.html", "next": "bare.html", "trajectory.csv": "trajectory.csv"}
    family = FamilySummary(family="induction", description="", runs=summaries, consensus={"layers~2": induction.consensus})
    pages = {
        "polygon": run_page(polygon, links),
        "induction": run_page(induction, links),
        "bare": run_page(bare, links),
        "family": family_page(family, links),
        "index": index_page([family], {}),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def opened(browser, site):
    """Return a function that opens a page of the site, by default as wide as a desk's screen."""

    def open_page(name, anchor="", **look):
        page = Page(browser, **look)
        page.open(f"{(site / f'{name}.html').as_uri()}{anchor}")
        return page

    return open_page


def unfolded(page):
    page.value(UNFOLD)
    page.wait(f"{DRAWN} === document.querySelectorAll('.plot').length")
    page.settle()


CONTRAST = """
(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const [red, green, blue, opacity = 1] = numbers(getComputedStyle(at).backgroundColor);
      if (opacity > 0) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const hex = (colour) => colour.match(/\\w\\w/g).map((pair) => parseInt(pair, 16));
  const against = (...colours) => {
    const [high, low] = colours.map(luminance).sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const worst = { text: [99, ""], curve: [99, ""] };
  document.querySelectorAll("body *").forEach((one) => {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.offsetHeight || one.closest("svg")) return;
    const contrast = against(numbers(getComputedStyle(one).color), behind(one));
    if (contrast < worst.text[0]) worst.text = [contrast, one.className + one.textContent.slice(0, 30)];
  });
  const paper = numbers(getComputedStyle(document.body).backgroundColor);
  const lines = [...document.querySelectorAll(".js-plotly-plot")].flatMap((plot) => plot._fullData);
  lines.filter((line) => line.line?.width > 0).forEach(({ name, line: { color } }) => {
    const contrast = against(color.startsWith("#") ? hex(color) : numbers(color), paper);
    if (contrast < worst.curve[0]) worst.curve = [contrast, name];
  });
  return worst;
})()
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_complete_quiet_legible_and_fits_a_phone(opened, site, name):
    """Text has a contrast of 4.5 (WCAG AA). Curves have 3 in the dark; on white, yellow and light blue have 1.7, and a dash."""
    page = opened(name)
    unfolded(page)
    assert page.value("document.querySelectorAll('.modebar-btn').length") == 0
    for scheme, least in (("light", 1.7), ("dark", 3)):
        page.appear(scheme=scheme)
        worst = page.value(CONTRAST) if name != "index" else None
        assert worst is None or (worst["text"][0] >= 4.5 and worst["curve"][0] >= least), worst
    page.appear(width=420, scheme="dark")
    assert page.value("document.documentElement.scrollWidth") <= 420
    files = 2 if page.value("document.querySelectorAll('script[src]').length") else 1
    assert len(page.requests) == files and all(address.startswith(site.as_uri()) for address in page.requests)
    assert page.console == []


ASKING = """
fetch("https://ontogeny.invalid/").catch(() => 0);
new Image().src = "https://ontogeny.invalid/image.png";
navigator.sendBeacon("https://ontogeny.invalid/beacon");
"""


def test_a_page_forbids_every_request_and_one_without_its_policy_would_be_seen_to_ask(browser, site):
    text = (site / "bare.html").read_text(encoding="utf-8").replace("</body>", f"<script>{ASKING}</script></body>")
    seen = []
    for name, content in {"asking": text, "free": text.replace("Content-Security-Policy", "nothing")}.items():
        (site / f"{name}.html").write_text(content, encoding="utf-8")
        page = Page(browser)
        page.open((site / f"{name}.html").as_uri())
        page.value("new Promise((done) => setTimeout(done, 300))")
        seen.append(SimpleNamespace(asked=[url for url in page.requests if "invalid" in url], console=page.console))
    assert seen[0].asked == [] and sum("Content Security Policy" in line for line in seen[0].console) >= 3
    assert len(seen[1].asked) == 3


def test_what_was_found_is_on_the_first_screen_of_the_index(opened):
    page = opened("index", height=800)
    assert page.value("document.querySelector('.headline').getBoundingClientRect().bottom") < 400
    assert "Induction-head formation" in page.value("document.querySelector('.headline').textContent")
    assert page.value("document.getElementById('runs-table').getBoundingClientRect().top") < 800


OVERVIEW = (
    "(() => { const { layout } = document.getElementById('overview'); return [layout.xaxis.range, layout.yaxis.range]; })()"
)


def test_a_click_on_a_candidate_zooms_all_plots_to_it_and_stays_in_the_address(opened):
    page = opened("polygon")
    unfolded(page)
    before = page.value(OVERVIEW)
    page.click("[data-candidate='2']")
    (low, high), (bottom, top) = page.value(OVERVIEW)
    assert before[0][0] < low < 131_000 < 135_000 < high < before[0][1]
    assert bottom < 0.0687 and 0.105 < top < 0.12
    every = "[...document.querySelectorAll('#observables-section .plot')].every((one) => one.layout.xaxis.range[0] === RANGE)"
    assert page.value(every.replace("RANGE", repr(low)))
    assert page.value("location.hash") == "#candidate=2"
    assert page.value("document.querySelector(\"[data-candidate='2']\").getAttribute('aria-pressed')") == "true"
    page.click("#show-all")
    assert page.value(OVERVIEW)[0] == before[0] and page.value("location.hash") == ""
    again = opened("polygon", "#transitions&candidate=2")
    assert again.value(OVERVIEW)[0] == [low, high]
    assert again.value("scrollY") > 0


def test_the_number_above_a_plot_zooms_too(opened):
    page = opened("polygon")
    page.value("[...document.querySelectorAll('#overview .annotation')].forEach((one, place) => { one.id = `label-${place}`; })")
    page.click("#label-1")
    assert page.value("location.hash") == "#candidate=2"


def test_one_switch_changes_every_step_axis_and_traces_can_be_chosen(opened):
    page = opened("polygon")
    unfolded(page)
    kinds = "[...new Set([...document.querySelectorAll('.grid .plot')].map((plot) => plot.layout.xaxis.type))]"
    page.click("input[name=axis][value=log]")
    assert page.value("document.getElementById('overview').data[0].x[0]") == 1
    assert page.value(kinds) == ["log"] and page.value("location.hash") == "#axis=log"
    first = page.value("document.getElementById('traces').data[0].y[0]")
    page.value("{ const one = document.getElementById('trace-step'); one.value = '3'; one.dispatchEvent(new Event('change')); }")
    page.settle()
    assert page.value("document.getElementById('traces').data[0].y[0]") != first


def test_a_step_that_a_picture_shows_is_marked_in_the_plots(opened):
    page = opened("polygon")
    count = "document.getElementById('overview').layout.shapes.length"
    before = page.value(count)
    page.value("document.dispatchEvent(new CustomEvent('ontogeny:step', { detail: { step: 120000 } }))")
    page.wait(f"{count} === {before + 1}")


def test_a_slider_moves_all_pictures_and_marks_the_step_in_the_plots(browser, site, polygon):
    steps = (0, 10, 20, 30)
    films = [
        Film(title=title, caption="", steps=steps, frames=[f"<b>{name}{step}</b>" for step in steps], words=[""] * 4, width=100)
        for title, name in (("First", "a"), ("Second", "b"))
    ]
    heat = Picture(title="Scores", caption="", html=heat_map(np.eye(4), list("abcd"), steps, [], "scores"))
    report = replace(polygon, pictures=[*(run_picture(film, None) for film in films), heat])
    (site / "pictures.html").write_text(run_page(report, {"plotly": write_plotly(site)}), encoding="utf-8")
    page = Page(browser)
    page.open((site / "pictures.html").as_uri())
    page.settle()
    count = "document.getElementById('overview').layout.shapes.length"
    before = page.value(count)
    page.value(
        "(() => { const one = document.querySelector('.film input'); one.value = 2; one.dispatchEvent(new Event('input')); })()"
    )
    page.wait(f"{count} === {before + 1}")
    shown = "[...document.querySelectorAll('.film .stage')].map((one) => one.textContent.trim())"
    assert page.value(shown) == ["a20", "b20"]
    assert page.value("document.querySelector('.film input').getAttribute('aria-valuetext')") == "step 20"
    assert page.value("document.querySelector('.heat .here').style.left") == "62.5%"
    assert page.value("document.getElementById('overview').layout.shapes.at(-1).x0") in (20, 21)
    assert page.console == []


def test_a_run_can_be_hidden_and_marked_in_all_plots_of_its_family(opened):
    page = opened("family")
    shown = "document.getElementById('overlay-loss').data.map((line) => [line.visible, line.opacity])"
    page.click("input[data-run=layers-1-seed-0]")
    page.click("[data-mark=layers-2-seed-1]")
    assert page.value(shown) == [[False, 0.12], [True, 0.12], [True, 0.12], [True, 1]]
    assert page.value("location.hash") == "#hide=layers-1-seed-0&mark=layers-2-seed-1"


def test_the_table_of_runs_is_sorted_and_searched(opened):
    page = opened("index")
    rows = "[...document.querySelectorAll('#runs-table tbody tr:not(.away)')].map((row) => row.cells[1].textContent)"
    page.click("#runs-table th:nth-child(5) button")
    assert page.value(rows) == ["layers~2", "layers~2", "layers~1", "layers~1"]
    page.value("document.querySelector('[data-filter]').value = 'layers~1'")
    page.value("document.querySelector('[data-filter]').dispatchEvent(new Event('input'))")
    assert page.value(rows) == ["layers~1", "layers~1"]
    assert page.value("location.hash") == "#sort=4.down&find=layers~1"
    page.click("[name=filter-runs-table][value=highlight]")
    assert len(page.value(rows)) == 4 and page.value("document.querySelectorAll('tr.found').length") == 2


SAVED = """
window.saved = [];
HTMLAnchorElement.prototype.click = function () { saved.push([this.download, this.href]); };
"""


def test_a_figure_is_exported_as_svg_as_png_of_twice_its_size_and_its_data_as_csv(opened):
    page = opened("polygon")
    page.value(SAVED)
    for kind in ("svg", "png", "csv"):
        page.value(f"document.querySelector('figure [data-export={kind}]').click()")
    page.wait("saved.length === 3")
    saved = {name.rpartition(".")[2]: (name, address) for name, address in page.value("saved")}
    assert all(name.startswith("superposition-base-seed-3-loss-and-local-learning-coefficient.") for name, _ in saved.values())
    assert saved["svg"][1].startswith("data:image/svg+xml")
    width = "new Promise((done) => { const one = new Image(); one.onload = () => done(one.width); one.src = ADDRESS; })"
    assert page.value(width.replace("ADDRESS", repr(saved["png"][1]))) == 1800
    head, *lines = page.value("csvOf('overview')").splitlines()
    assert head == "curve,step,value,standard error,failed checks"
    assert any(re.fullmatch(r'λ̂,75000,[\d.]+,0.3,"R̂ too large, trace still drifting"', line) for line in lines)
    assert not any(line.startswith("lower edge") for line in lines)


def test_the_theme_is_chosen_by_a_button(opened):
    page = opened("bare", scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.value(paper) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.value(paper) == "rgb(20, 23, 26)"
    page.click("#theme")
    page.click("#theme")
    assert page.value("localStorage.getItem('ontogeny-theme')") == ""


def test_a_page_prints_on_few_sheets_in_light_colours(opened, tmp_path):
    page = opened("polygon", scheme="dark")
    page.pdf(tmp_path / "page.pdf")
    assert len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "page.pdf").read_bytes())) <= 4
    page.settle()
    assert page.value("document.getElementById('overview').layout.paper_bgcolor") == "rgb(20, 23, 26)"


def test_a_page_without_plotly_says_so_and_keeps_its_words(browser, site, tmp_path):
    shutil.copy(site / "polygon.html", tmp_path)
    page = Page(browser)
    page.open((tmp_path / "polygon.html").as_uri())
    assert page.value("document.getElementById('no-plots').offsetHeight") > 0
    assert page.value("[...document.querySelectorAll('.plot')].every((one) => one.offsetHeight === 0)")
    assert "The plots are missing" in page.value("document.body.innerText")
    assert not any("Uncaught" in line for line in page.console)


def test_errors_would_be_seen(browser, tmp_path):
    scripts = "".join(f"<script>{script}</script>" for script in ("null.missing", "console.error('bad')", "Plotly.react()"))
    (tmp_path / "page.html").write_text(f"<!doctype html><html><head><title>x</title></head><body>{scripts}</body></html>")
    page = Page(browser)
    page.open((tmp_path / "page.html").as_uri())
    assert len(page.console) == 3
