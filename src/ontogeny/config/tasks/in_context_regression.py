"""The card of the task `in_context_regression`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import AtLeastTwo, Positive, Seed


class InContextRegression(TaskSection):
    """The network predicts y = t · x + noise from earlier pairs (x, y) of the same linear map t (Raventós et al. 2023)."""

    kind: Annotated[Literal["in_context_regression"], Field(description="The kind `in_context_regression` selects this task.")]
    dimensions: Annotated[int, Field(ge=1, le=256, description="A vector x has this many dimensions, D.")] = 4
    pairs: Annotated[int, Field(ge=2, le=1024, description="A sequence has this many pairs (x, y), K.")] = 8
    noise_variance: Annotated[Positive, Field(description="The noise of y has this variance, σ².")] = 0.125
    diversity: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**20,
            description="Training draws the map t of a sequence from this many maps, the task diversity M; null draws a new one "
            "from N(0, I) for every sequence.",
        ),
    ] = None
    examples: Annotated[AtLeastTwo, Field(description="The data set on which λ̂ is estimated has this many sequences, n.")] = 1024
    evaluation: Annotated[AtLeastTwo, Field(description="Observables are measured on this many other sequences.")] = 512
    seed: Annotated[
        Seed, Field(description="This seed draws the maps and the fixed sequences; the seeds of the runs do not change them.")
    ] = 0

    same_network: ClassVar = ("noise_variance", "diversity", "examples", "seed")
    fresh_batches: ClassVar = True

    @property
    def shape(self) -> Mapping[str, int]:
        return {"token_size": self.dimensions + 1, "context": 2 * self.pairs}

    @property
    def positions(self) -> int:
        return self.pairs
