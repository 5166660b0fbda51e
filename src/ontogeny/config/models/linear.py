"""The card of the model `linear`."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import MOST_LAYERS
from ontogeny.config.section import Count, CountOrZero, NotEmpty, Positive, Section


class RankStart(Section):
    """The network starts where its product and each of its layers have the same rank."""

    rank: Annotated[CountOrZero, Field(description="The product and each layer have this rank at step 0.")] = 0
    size: Annotated[Positive, Field(description="Each nonzero singular value of a layer is this number at step 0.")] = 1.0


class Linear(ModelSection):
    """The network is a deep linear network, W_L … W_1 x."""

    kind: Annotated[Literal["linear"], Field(description="The kind `linear` selects this model.")]
    hidden: Annotated[
        list[Count],
        Field(max_length=MOST_LAYERS, description="The hidden layers have these widths; [] means a single matrix."),
    ] = [5, 5]
    spread: Annotated[
        Positive,
        Field(
            description="Every weight has this standard deviation at step 0; a small one makes training go from saddle to saddle."
        ),
    ] = 0.1

    start: Annotated[
        RankStart | None,
        NotEmpty,
        Field(description="The network starts at a point of known rank; null means random weights, see `spread`."),
    ] = None

    needs: ClassVar = frozenset({"inputs", "outputs"})

    def parameters(self, shape: Mapping[str, int]) -> int:
        widths = [shape["inputs"], *self.hidden, shape["outputs"]]
        return sum(before * after for before, after in pairwise(widths))

    def check_shape(self, shape: Mapping[str, int]) -> None:
        super().check_shape(shape)
        narrowest = min(shape["inputs"], *self.hidden, shape["outputs"])
        if self.start is not None and self.start.rank > narrowest:
            raise ValueError(f"model.start.rank ({self.start.rank}) is larger than the narrowest layer ({narrowest})")
