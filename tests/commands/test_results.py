"""`ontogeny clean`, `open` and `page`: what they find in a results folder."""

import pytest


def test_a_study_that_has_all_its_results_is_clean(done):
    assert "holds nothing that the study does not have" in done.call("clean")


def test_results_that_the_study_no_longer_has_are_listed_then_removed(done):
    results = done.path / "results"
    for run in ("toy/base/seed~0", "toy/base/seed~9", "toy/old/seed~0", "gone/base/seed~0"):
        (results / run).mkdir(parents=True)
        (results / run / "llc.parquet").write_text("x" * 1000)
    (results / "toy/base/seed~0/run.json.damaged").write_text("{")
    (results / "toy/base/.77.calibration.json").write_text("{")
    (results / "notes").mkdir()
    (results / "notes" / "mine.txt").write_text("of the user")
    (results / "report" / "assets").mkdir()
    for name in ("plotly-1.js", "plotly-2.js"):
        (results / "report" / "assets" / name).write_text("")
    (results / "report" / "index.html").write_text('<script src="assets/plotly-2.js"></script>')
    gone = ["toy/base/seed~9", "toy/old", "gone", "toy/base/seed~0/run.json.damaged", "toy/base/.77.calibration.json"]
    gone.append("report/assets/plotly-1.js")
    listed = done.call("clean")
    assert [name for name in gone if f"results/{name}  (" not in listed] == [] and listed.count("(") == len(gone)
    assert all((results / name).exists() for name in gone)
    done.call("clean", "--yes")
    assert not any((results / name).exists() for name in gone)
    kept = ("toy/base/seed~0/llc.parquet", "notes/mine.txt", "toy/base/calibration.json", "report/assets/plotly-2.js")
    assert all((results / name).is_file() for name in kept)
    assert "38 of 38 jobs are done" in done.call("status")


def test_open_prints_the_index_page(study, done):
    assert done.call("open") == "results/report/index.html\n"
    (done.path / "results/report/index.html").unlink()
    assert "`ontogeny run` makes it" in done.call("open", status=1)


@pytest.fixture
def pages(done):
    """Pages of two runs, which read a script, a style sheet and a picture beside them."""
    results = done.path / "results"
    for seed in (0, 1):
        folder = results / "toy" / "base" / f"seed~{seed}"
        folder.mkdir()
        (folder / "report.html").write_text(
            '<html><head><link rel="stylesheet" href="../style.css"><link rel="icon" href="data:,"></head>'
            '<body><img alt="" src="../picture.svg"><script src="../plot.js" defer></script>'
            "<script>let a = '<img src=\"no.png\">'</script><script type='application/json'>{}</script>"
            '<a href="../report.html">family</a></body></html>'
        )
    (results / "toy/base/plot.js").write_text("let end = '</script>'; let back = '\\\\1';")
    (results / "toy/base/style.css").write_text("body {color: red}")
    (results / "toy/base/picture.svg").write_text("<svg/>")
    return done


@pytest.mark.parametrize("name", ["toy/base/seed~1", "results/toy/base/seed~1", "seed~1", "results/toy/base/seed~1/report.html"])
def test_a_page_is_found_by_its_run(pages, name):
    assert pages.call("page", name) == "results/toy/base/seed~1/report.html\n"


def test_pages_of_families_and_the_index_have_names(pages):
    assert pages.call("page", "toy") == "results/toy/report.html\n"
    assert pages.call("page", "index") == "results/report/index.html\n"


def test_a_name_of_several_pages_or_none_is_answered(pages):
    assert "2 pages have 'base' in their names: toy/base/seed~0, toy/base/seed~1" in pages.call("page", "base", status=1)
    assert "No page is called 'tooy'. Did you mean toy" in pages.call("page", "tooy", status=1)


def test_a_single_file_reads_no_other(pages):
    assert pages.call("page", "seed~0", "--single-file").startswith("toy-base-seed~0.html (")
    text = (pages.path / "toy-base-seed~0.html").read_text()
    assert "<style>body {color: red}</style>" in text and 'src="data:image/svg+xml;base64,PHN2Zy8+"' in text
    assert "<script>let end = '<\\/script>'; let back = '\\\\1';</script>" in text
    assert "let a = '<img src=\"no.png\">'" in text and '<link rel="icon" href="data:,">' in text
    assert "plot.js" not in text and "style.css" not in text and '<a href="../report.html">' in text


def test_a_file_that_a_page_lacks_is_named(pages):
    (pages.path / "results/toy/base/plot.js").unlink()
    assert "plot.js, which cannot be read" in pages.call("page", "seed~0", "--single-file", status=1)
