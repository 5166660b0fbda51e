"""What a job imports before it begins: the libraries that it does without would make up most of the start of a short job."""

import subprocess
import sys

import pytest

LIBRARIES = ("flax", "jax", "orbax", "pandas", "zarr")
IMPORTED = {
    "train": {"flax", "jax", "pandas"},
    "calibrate": {"flax", "jax"},
    "sample": {"flax", "jax"},
    "sensitivity": {"flax", "jax"},
    "sweep_cells": {"flax", "jax"},
    "observe": {"flax", "jax", "pandas"},
    "phases": {"flax", "jax", "pandas"},
    "estimate": {"pandas"},
    "detect": {"pandas"},
    "consensus": {"pandas"},
    "along": {"pandas"},
    "run_pages": {"pandas"},
    "family_page": {"pandas"},
    "sweep_page": {"pandas"},
    "index_page": {"pandas"},
}
PROGRAM = """
import sys
from ontogeny.jobs import {kind}
print(*(name for name in {libraries} if name in sys.modules))
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("kind", IMPORTED)
def test_a_job_imports_no_library_that_it_does_without(kind):
    program = PROGRAM.format(kind=kind, libraries=LIBRARIES)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == IMPORTED[kind]


def test_every_kind_of_job_is_looked_at():
    from ontogeny.config.job_names import KINDS

    assert IMPORTED.keys() == KINDS.keys()
