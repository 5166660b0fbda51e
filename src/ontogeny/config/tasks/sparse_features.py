"""The card of the task `sparse_features`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import TaskSection
from ontogeny.config.section import AtLeastTwo, Seed


class SparseFeatures(TaskSection):
    """The network reconstructs sparse synthetic features (Chen et al. 2023; Elhage et al. 2022)."""

    kind: Annotated[Literal["sparse_features"], Field(description="The kind `sparse_features` selects this task.")]
    features: Annotated[AtLeastTwo, Field(description="The data have this many features, c in the paper.")] = 6
    active: Annotated[
        Literal["one"],
        Field(description="The value `one` makes a single feature active in each example: x = μ e_i with μ ~ U[0, 1]."),
    ] = "one"
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n; it is drawn once.")] = 1000
    seed: Annotated[Seed, Field(description="This seed draws the data set; the seeds of the runs do not change it.")] = 0

    same_network: ClassVar = ("examples", "seed")

    @property
    def shape(self) -> Mapping[str, int]:
        return {"features": self.features}
