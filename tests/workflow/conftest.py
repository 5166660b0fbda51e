"""Studies that the parallel test processes share: the first that asks makes one."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_study import Study, make_study, mark_as_done


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test process waits for the finished study, the other goes on. Whoever asks for it tests end to end."""
    for item in items:
        if "finished" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("finished"))
            item.add_marker(pytest.mark.end_to_end)


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one test process makes and all use."""
    base = factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").is_file():
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The small study, run; do not change it. `stdout` holds what Snakemake printed."""

    def make(folder: Path) -> None:
        (folder / "stdout").write_text(make_study(folder).snakemake().stdout)

    return Study(shared(tmp_path_factory, "finished", make))


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The small study, all of it recorded as done, none of it run: enough to plan what an edit reruns."""
    return Study(shared(tmp_path_factory, "recorded", lambda folder: mark_as_done(make_study(folder))))


@pytest.fixture
def copied(finished: Study, tmp_path: Path) -> Study:
    """A copy of the finished study, to be changed."""
    return Study(shutil.copytree(finished.folder, tmp_path / "study"))
