"""The card of the task `markov_chains`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import TaskSection
from ontogeny.config.limits import LARGEST
from ontogeny.config.section import AtLeastTwo, Positive, Seed


class MarkovChains(TaskSection):
    """The network predicts Markov chains, each from a transition matrix of its own (Edelman et al. 2024)."""

    kind: Annotated[Literal["markov_chains"], Field(description="The kind `markov_chains` selects this task.")]
    symbols: Annotated[int, Field(ge=2, le=64, description="A chain moves between this many symbols, k.")] = 3
    context: Annotated[int, Field(ge=4, le=LARGEST, description="The network reads this many symbols of a chain.")] = 32
    concentration: Annotated[
        Positive, Field(description="Each row of a transition matrix is drawn from a Dirichlet distribution with this α.")
    ] = 1.0
    examples: Annotated[AtLeastTwo, Field(description="The data set on which λ̂ is estimated has this many chains, n.")] = 1024
    evaluation: Annotated[AtLeastTwo, Field(description="Observables are measured on this many other chains.")] = 512
    seed: Annotated[Seed, Field(description="This seed draws the fixed chains; the seeds of the runs do not change them.")] = 0

    same_network: ClassVar = ("concentration", "examples", "seed")
    fresh_batches: ClassVar = True

    @property
    def shape(self) -> Mapping[str, int]:
        return {"vocabulary": self.symbols, "context": self.context}

    @property
    def positions(self) -> int:
        return self.context
