"""Read checkpoints of a run that a study has trained, with the target that its family samples."""

from pathlib import Path
from typing import NamedTuple

from ontogeny.arrays.flat import Checkpoints
from ontogeny.checkpoints import blocks
from ontogeny.config import LocalLearningCoefficient
from ontogeny.config.reading import read_study
from ontogeny.jobs.target import build_target
from ontogeny.problem.build import build_problem
from ontogeny.problem.problem import Problem
from ontogeny.results import load_run
from ontogeny.sampling.target import Target


class TrainedRun(NamedTuple):
    """Checkpoints of a run, and what its family asks for.

    Attributes:
        params: the parameters at the checkpoints.
    """

    llc: LocalLearningCoefficient
    problem: Problem
    steps: list[int]
    params: Checkpoints

    def target(self, **changes) -> tuple[Target, Checkpoints]:
        """Return the target with some keys of the section `llc` changed, and the checkpoints as its loss takes them."""
        return build_target(self.problem, self.llc.model_copy(update=changes), self.params)


def read_run(configfile: Path, folder: Path, steps: list[int] | None = None) -> TrainedRun:
    """Return the checkpoints of the run in `folder` nearest to some steps; None for a quarter, half and all of training."""
    family, variant = folder.parent.parent.name, folder.parent.name
    _, variants = read_study(configfile)
    section = next(own.family for own in variants if (own.family_name, own.name) == (family, variant))
    kept = load_run(folder).steps
    wanted = steps or [kept[-1] // 4, kept[-1] // 2, kept[-1]]
    chosen = sorted({min(kept, key=lambda step: abs(step - want)) for want in wanted})
    problem = build_problem(section.task, section.model, base=configfile.parent)
    return TrainedRun(section.llc, problem, chosen, blocks.read(folder / "checkpoints", chosen)[1])
