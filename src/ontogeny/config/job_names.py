"""The table of jobs: one row for each kind. Specifications, reserved names, inputs and costs follow from it."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["study", "family", "variant", "block"]


@dataclass(frozen=True)
class JobKind:
    """A kind of job: a module of `jobs/`, a rule of the workflow and a command, all of the same name.

    Attributes:
        scope: what one job of the kind works on; a block is the seeds of a variant that share a job.
        needs: the kinds of jobs whose results it reads.
        reads: the parts of the study that its results depend on, see `pipeline.plan.PARTS`.
        code: what else its code depends on besides its own module: the modules of the "task", the "model", the "sampler"
            and the "observables" and "pictures" of the family, and the "templates" of the pages.
    """

    name: str
    scope: Scope
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


JOBS = (
    JobKind("train", "block", reads=("seeds", "lanes", "problem", "training", "checkpoints"), code=("task", "model")),
    JobKind(
        "calibrate",
        "variant",
        needs=("train",),
        reads=("first_seed", "problem", "sampler", "checkpoints", "run_identity"),
        code=("task", "model", "sampler"),
    ),
    JobKind(
        "sample",
        "block",
        needs=("train", "calibrate"),
        reads=("seeds", "problem", "llc", "other_data"),
        code=("task", "model", "sampler"),
    ),
    JobKind("estimate", "block", needs=("sample",), reads=("seeds",)),
    JobKind(
        "sensitivity",
        "variant",
        needs=("train", "calibrate"),
        reads=("first_seed", "run_count", "problem", "sampler", "checkpoints", "run_identity"),
        code=("task", "model", "sampler"),
    ),
    JobKind(
        "sweep_cells",
        "variant",
        needs=("train", "calibrate"),
        reads=("first_seed", "problem", "sampler", "sweep", "checkpoints", "run_identity"),
        code=("task", "model", "sampler"),
    ),
    JobKind(
        "observe",
        "block",
        needs=("train",),
        reads=("seeds", "problem", "observables", "pictures"),
        code=("task", "model", "observables", "pictures"),
    ),
    JobKind("detect", "block", needs=("estimate", "observe"), reads=("seeds", "training", "transitions")),
    JobKind("consensus", "variant", needs=("detect",), reads=("all_seeds",)),
    JobKind("along", "family", needs=("estimate", "observe"), reads=("along", "labels"), code=("templates",)),
    JobKind("phases", "variant", reads=("phases",)),
    JobKind(
        "run_pages",
        "variant",
        needs=("detect", "calibrate", "consensus", "sensitivity"),
        reads=("all_seeds", "configuration", "labels", "picture_cards"),
        code=("templates",),
    ),
    JobKind(
        "family_page",
        "family",
        needs=("run_pages", "phases", "along"),
        reads=("description", "variants", "labels", "picture_cards"),
        code=("templates",),
    ),
    JobKind("sweep_page", "variant", needs=("sweep_cells",), code=("templates",)),
    JobKind("index_page", "study", needs=("family_page",), reads=("families", "labels"), code=("templates",)),
)
ON_REQUEST = ("sweep_cells", "sweep_page")
"""Kinds whose results no other kind reads: they run where their files are asked for by name."""
KINDS = {kind.name: kind for kind in JOBS}
