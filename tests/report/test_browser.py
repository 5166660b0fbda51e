"""The pages in a real browser: they draw their plots, and no error reaches the console."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape

import numpy as np
import pytest

from ontogeny.report.pages import family_page, index_page, run_page
from ontogeny.report.pictures.drawing import heat_map
from ontogeny.report.pictures.film import Film, Picture, run_picture
from ontogeny.report.tables import FamilySummary

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--no-first-run", "--virtual-time-budget=20000", "--enable-logging=stderr", "--v=0", "--window-size=1000,1400",
)  # fmt: skip
MOUSE = "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
"""A pointer that hovers: without one, the plots have no buttons."""
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome is installed")


def opened(page, folder):
    """The page after its scripts have run, and the lines they wrote to the console."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    address = (folder / "page.html").as_uri()
    places = f"--user-data-dir={folder / 'profile'}", f"--log-net-log={folder / 'network.json'}"
    command = [BROWSER, *FLAGS, MOUSE, *places, "--dump-dom", address]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return result.stdout, [line for line in result.stderr.splitlines() if ":CONSOLE" in line]


def requests(folder):
    """The addresses that the page opened last asked for. Chromium's own requests have no origin as their initiator."""
    log = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    kind = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    started = [event["params"] for event in log["events"] if event["type"] == kind and "params" in event]
    return [one["url"] for one in started if one.get("initiator", "not an origin") != "not an origin"]


def drawn(document):
    """How many plots have been drawn: each has one container."""
    return len(re.findall(r'<div class="[^"]*svg-container', document))


def with_script(page, script):
    """The page with more script at its end, which leaves what it finds in the title."""
    return page.replace("</body>", f"<script>{script}</script></body>")


def found(document):
    return json.loads(re.search(r"<title>(.*?)</title>", document, flags=re.DOTALL)[1])


@pytest.mark.end_to_end
def test_a_run_page_draws_everything_without_an_error(polygon, tmp_path):
    page = run_page(polygon, {"index": "index.html"})
    document, console = opened(page, tmp_path)
    assert console == []
    assert drawn(document) == page.count('class="plot"') > 10


OFFLINE = """
const plots = [...document.querySelectorAll(".js-plotly-plot")];
const buttons = plots.map((plot) => [...plot.querySelectorAll(".modebar-btn")].map((button) => button.dataset.title));
const tell = (image) => { document.title = JSON.stringify([buttons, image]); };
if (plots.length) Plotly.toImage(plots[0], { format: "png" }).then((address) => tell(address.slice(0, 15)));
else tell("");
"""
OFFERED = ["Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["polygon", "induction", "bare", "family", "index"])
def test_no_page_asks_the_network_or_offers_to_upload_a_plot(name, polygon, induction, bare, summaries, tmp_path):
    family = FamilySummary(family="induction", description="", runs=summaries)
    make = {
        "polygon": lambda: run_page(polygon, {}),
        "induction": lambda: run_page(induction, {}),
        "bare": lambda: run_page(bare, {}),
        "family": lambda: family_page(family, {}),
        "index": lambda: index_page([family], {}),
    }
    page = make[name]()
    document, console = opened(with_script(page, OFFLINE), tmp_path)
    assert (console, requests(tmp_path)) == ([], [])
    plots = page.count('class="plot"')
    assert found(document) == [[OFFERED] * plots, "data:image/png;" if plots else ""]


ASKING = """
fetch("https://ontogeny.invalid/").catch(() => 0);
new Image().src = "https://ontogeny.invalid/image.png";
navigator.sendBeacon("https://ontogeny.invalid/beacon");
"""


@pytest.mark.end_to_end
def test_a_page_forbids_every_request_and_one_without_its_policy_would_be_seen_to_ask(bare, tmp_path):
    page = with_script(run_page(bare, {}), ASKING)
    _, console = opened(page, tmp_path)
    assert requests(tmp_path) == []
    assert sum("Content Security Policy" in line for line in console) >= 3
    opened(page.replace("Content-Security-Policy", "nothing"), tmp_path)
    assert len(requests(tmp_path)) == 3


SWITCH = """
const overview = document.getElementById("overview");
const seen = [overview.layout.xaxis.type, overview.data[0].x[0]];
document.querySelector("input[name=axis][value=log]").click();
seen.push(overview.layout.xaxis.type, overview.data[0].x[0], overview.layout.shapes[0].x0);
seen.push([...document.querySelectorAll(".grid .plot")].every((plot) => plot.layout.xaxis.type === "log"));
const choice = document.getElementById("trace-step"), traces = document.getElementById("traces");
const before = traces.data[0].y[0];
choice.value = "3";
choice.dispatchEvent(new Event("change"));
seen.push(traces.data.length, traces.data[0].y[0] !== before);
document.title = JSON.stringify(seen);
"""


@pytest.mark.end_to_end
def test_one_switch_changes_every_step_axis_and_traces_can_be_chosen(induction, tmp_path):
    document, console = opened(with_script(run_page(induction, {}), SWITCH), tmp_path)
    assert console == []
    assert found(document) == ["linear", 0, "log", 1, 17, True, 8, True]


HIDE = """
document.querySelector("input[data-run]").click();
const plots = [...document.querySelectorAll(".plot")];
document.title = JSON.stringify(plots.map((plot) => plot.data.filter((line) => line.visible).length / plot.data.length));
"""


@pytest.mark.end_to_end
def test_a_run_can_be_hidden_in_all_plots_of_its_family(summaries, tmp_path):
    page = family_page(FamilySummary(family="induction", description="", runs=summaries[2:]), {})
    document, console = opened(with_script(page, HIDE), tmp_path)
    assert console == []
    assert len(found(document)) > 4
    assert set(found(document)) == {0.5}


PHONES = """
const seen = [...document.querySelectorAll("iframe")].map((phone) => [
  phone.contentDocument.documentElement.scrollWidth, phone.contentDocument.querySelectorAll(".svg-container").length,
]);
document.title = JSON.stringify(seen);
"""


@pytest.mark.end_to_end
def test_nothing_is_wider_than_a_phone(induction, bare, summaries, tmp_path):
    family = FamilySummary(family="induction", description="", runs=summaries)
    pages = [run_page(induction, {}), run_page(bare, {}), family_page(family, {}), index_page([family], {})]
    frames = "".join(f'<iframe style="width:360px;height:800px;border:0" srcdoc="{escape(page)}"></iframe>' for page in pages)
    holder = f"<!doctype html><html><head><title>x</title></head><body>{frames}</body></html>"
    document, console = opened(with_script(holder, f"addEventListener('load', () => {{{PHONES}}})"), tmp_path)
    assert console == []
    widths, plots = zip(*found(document), strict=True)
    assert max(widths) <= 360
    assert plots == tuple(page.count('class="plot"') for page in pages)


def test_errors_would_be_seen(tmp_path):
    scripts = "".join(f"<script>{script}</script>" for script in ("null.missing", "console.error('bad')", "Plotly.react()"))
    _, console = opened(f"<!doctype html><html><head><title>x</title></head><body>{scripts}</body></html>", tmp_path)
    assert len(console) == 3


SLIDE = """
const seen = [];
document.addEventListener("ontogeny:step", (event) => seen.push(event.detail.step));
const input = document.querySelector(".scrub input"), stage = document.querySelector(".stage");
input.value = 2;
input.dispatchEvent(new Event("input"));
const marks = () => document.getElementById("overview").layout.shapes.filter((one) => one.x0 === one.x1 && one.x0 === 20).length;
const all = [...document.querySelectorAll(".stage")].map((one) => one.textContent);
const here = document.querySelector(".heat .here");
const width = document.documentElement.scrollWidth <= innerWidth;
setTimeout(() => { document.title = JSON.stringify({
  seen, all, told: stage.getAttribute("aria-label"), value: input.getAttribute("aria-valuetext"), marks: marks(),
  here: here.style.left, width,
}); }, 200);
"""


@pytest.mark.end_to_end
def test_a_slider_moves_all_pictures_and_marks_the_step_on_the_plots(polygon, tmp_path):
    steps = (0, 10, 20, 30)
    films = [
        Film(title=title, caption="", steps=steps, frames=[f"<b>{name}{step}</b>" for step in steps], words=[""] * 4, width=100)
        for title, name in (("First", "a"), ("Second", "b"))
    ]
    heat = Picture(title="Scores", caption="", html=heat_map(np.eye(4), list("abcd"), steps, [], "scores"))
    report = replace(polygon, pictures=[*(run_picture(film, None) for film in films), heat])
    document, console = opened(with_script(run_page(report, {}), SLIDE), tmp_path)
    assert console == []
    assert found(document) == {
        "seen": [20], "all": ["a20", "b20"], "told": "First at step 20: ", "value": "step 20", "marks": 1, "here": "62.5%",
        "width": True,
    }  # fmt: skip
