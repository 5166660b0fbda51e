"""The small study, run once for all tests of the workflow."""

import shutil
from pathlib import Path

import pytest
from small_study import Study, make_study


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The small study, run once; do not change it."""
    study = make_study(tmp_path_factory.mktemp("finished") / "study")
    study.snakemake()
    return study


@pytest.fixture
def copied(finished: Study, tmp_path: Path) -> Study:
    """A copy of the finished study, to be changed."""
    shutil.copytree(finished.folder, tmp_path / "study")
    return Study(tmp_path / "study")
