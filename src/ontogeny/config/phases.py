"""Whether and how the whole posterior is sampled: `phases:` of a family."""

from typing import Annotated

from pydantic import Field

from ontogeny.config.models import Model, Superposition
from ontogeny.config.section import Section, Seed
from ontogeny.config.tasks import SparseFeatures, Task

MOST_POSTERIOR_PARAMETERS = 30
"""Of a network whose whole posterior is sampled; particles that are to cover it grow few in more dimensions."""


class Posterior(Section):
    """The posterior p(w) ~ exp(-n L(w)) phi(w) of the whole network, phi Gaussian, by tempered SMC while n grows: which phase
    holds it (Chen et al. 2023). L is the exact population loss; the phases are told by the corners of the hull of the columns.
    """

    largest_sample_size: Annotated[float, Field(gt=1, le=1e6, description="the last n; the first is 1")] = 2400.0
    sizes: Annotated[int, Field(ge=20, le=2000, description="how many n, evenly spaced in log n; few make uneven weights")] = 120
    particles: Annotated[int, Field(ge=100, le=100_000, description="weighted samples that stand for the posterior")] = 1000
    repeats: Annotated[int, Field(ge=2, le=1000, description="independent runs; at least 2: the error is their spread")] = 4
    moves: Annotated[int, Field(ge=1, le=1000, description="Hamiltonian trajectories of a particle from one n to the next")] = 5
    prior_variance: Annotated[float, Field(ge=0.01, le=100, description="of phi, the same for every parameter")] = 1.0
    seed: Annotated[Seed, Field(description="draws the particles and their moves; apart from the runs' seeds")] = 0


def check_posterior(task: Task, model: Model) -> None:
    """Refuse a posterior that cannot be sampled, or whose phases cannot be told.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    if not isinstance(task, SparseFeatures):
        raise ValueError(f"phases needs an exact population loss: task.kind is {task.kind!r}; allowed is sparse_features")
    if not isinstance(model, Superposition):
        raise ValueError(f"phases needs phases told by polygons: model.kind is {model.kind!r}; allowed is superposition")
    if model.hidden != 2:
        raise ValueError(f"phases needs phases told by polygons, in a plane: model.hidden is {model.hidden}; allowed is 2")
    most = MOST_POSTERIOR_PARAMETERS // (model.hidden + 1)
    if task.features > most:
        raise ValueError(
            f"phases is for at most {MOST_POSTERIOR_PARAMETERS} parameters: task.features is {task.features};"
            f" allowed are 2 to {most}"
        )
