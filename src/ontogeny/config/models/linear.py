"""The card of the model `linear`."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.config.cards import ModelSection
from ontogeny.config.limits import MOST_LAYERS
from ontogeny.config.section import Count, Positive


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

    needs: ClassVar = frozenset({"inputs", "outputs"})

    def parameters(self, shape: Mapping[str, int]) -> int:
        widths = [shape["inputs"], *self.hidden, shape["outputs"]]
        return sum(before * after for before, after in pairwise(widths))
