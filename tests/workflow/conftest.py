"""The small study, run once for all tests of the workflow."""

import fcntl
import shutil
from pathlib import Path

import pytest
from small_study import Study, make_study


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test process waits for the study that tests share, the other goes on."""
    for item in items:
        if "finished" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("finished"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The small study, run by the first of the parallel test processes that asks; do not change it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        study = Study(shared / "finished")
        if not (study.folder / "results" / "report" / "index.html").is_file():
            make_study(study.folder).snakemake()
    return study


@pytest.fixture
def copied(finished: Study, tmp_path: Path) -> Study:
    """A copy of the finished study, to be changed."""
    shutil.copytree(finished.folder, tmp_path / "study")
    return Study(tmp_path / "study")
