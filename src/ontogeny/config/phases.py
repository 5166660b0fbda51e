"""Whether and how the posterior of the whole network is sampled (`phases:` of a family)."""

from typing import Annotated

from pydantic import Field

from ontogeny.config.kinds import Model, Task
from ontogeny.config.models.superposition import Superposition
from ontogeny.config.section import Section, Seed
from ontogeny.config.tasks.sparse_features import SparseFeatures

MOST_POSTERIOR_PARAMETERS = 30
"""The most parameters of a network whose whole posterior is sampled: in more dimensions the particles no longer cover it."""


class Posterior(Section):
    """Tempered SMC samples the posterior p(w) ∝ exp(-n L(w)) φ(w) of the whole network while n grows (Chen et al. 2023).

    L is the exact population loss and φ a Gaussian prior. The phase of a particle is the number of corners of the convex hull
    of its columns.
    """

    largest_sample_size: Annotated[float, Field(gt=1, le=1e6, description="The sample size n grows from 1 to this number.")] = (
        2400.0
    )
    sizes: Annotated[
        int,
        Field(
            ge=20,
            le=2000,
            description="The posterior is sampled at this many n, evenly spaced in log n; few make uneven weights.",
        ),
    ] = 120
    particles: Annotated[int, Field(ge=100, le=100_000, description="This many weighted particles represent the posterior.")] = (
        1000
    )
    repeats: Annotated[
        int, Field(ge=2, le=1000, description="The sampling is repeated this many times; the spread of the repeats is the error.")
    ] = 4
    moves: Annotated[
        int, Field(ge=1, le=1000, description="Each particle makes this many Hamiltonian trajectories from one n to the next.")
    ] = 5
    prior_variance: Annotated[
        float, Field(ge=0.01, le=100, description="The prior φ has this variance, the same for every parameter.")
    ] = 1.0
    seed: Annotated[
        Seed, Field(description="This seed draws the particles and their moves; the seeds of the runs do not change them.")
    ] = 0


def check_posterior(task: Task, model: Model) -> None:
    """Reject a posterior that cannot be sampled, or whose phases cannot be told apart.

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
