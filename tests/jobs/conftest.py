"""The trained straight line that tests of sampling, estimating and detecting share."""

from pathlib import Path

import pytest
from line import CALIBRATION, MINE, job

from ontogeny.jobs import train
from ontogeny.pipeline.files import write_json


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A folder with a trained run and its calibration."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "mine.py").write_text(MINE)
    made = job(folder, "train")
    train.run(made)
    write_json(made.folder / "calibration.json", CALIBRATION)
    return folder
