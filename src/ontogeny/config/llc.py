"""How the local learning coefficient is estimated: `llc:` of a family."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.samplers import Sampler, SGLDSampler
from ontogeny.config.section import NAME, Count, NonNegative, NotEmpty, Positive, Section


class Refine(Section):
    """Weight- and data-refined local learning coefficients beside that of the whole network (Wang et al. 2024)."""

    components: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(description="names of components, with * for any part: layers.*.heads.*"),
    ] = []
    data: Annotated[
        dict[Annotated[str, Field(pattern=f"^{NAME}$")], dict[str, Any]],
        Field(description="name -> keys of the task with other values: {plain: {repeat: 0.0}}"),
    ] = {}

    @model_validator(mode="after")
    def check_some(self) -> Self:
        if not self.components and not self.data:
            raise ValueError("give at least one of components, data")
        return self


class PerExample(Section):
    """The losses of single examples at the draws, for influence, susceptibilities and information criteria."""

    examples: Annotated[
        Count | Literal["all"], Field(description="the first so many of the n examples, at most n; all for n")
    ] = 256
    every: Annotated[int, Field(ge=1, description="at every so-many-th kept draw of each chain")] = 10


class LocalLearningCoefficient(Section):
    """How the local learning coefficient is estimated at the checkpoints."""

    sampler: Sampler = SGLDSampler()
    inverse_temperature: Annotated[Positive | None, Field(description="n beta; null for n / log n")] = None
    localization: Annotated[NonNegative, Field(description="gamma")] = 1.0
    chains: Annotated[int, Field(ge=2, description="at least 2: the error bar comes from their spread")] = 8
    draws: Annotated[int, Field(ge=4, description="draws kept of each chain")] = 500
    burn_in: Annotated[
        Annotated[int, Field(ge=0)] | Literal["auto"],
        Field(description="draws discarded before those; auto: until the traces of pilot chains have settled"),
    ] = 200
    batch_size: Annotated[Count | None, Field(description="examples in a minibatch; null for all n")] = None
    checkpoints: Annotated[int | None, Field(ge=2, description="sample at this many of the run's checkpoints; null for all")] = (
        None
    )
    projection: Annotated[
        Literal["gradient"] | None,
        Field(description="gradient: chains stay in the hyperplane normal to the gradient at the checkpoint"),
    ] = None
    control_variates: Annotated[
        bool,
        Field(description="take the noise of minibatches at the checkpoint out, for a second gradient a step"),
    ] = False
    behavioural: Annotated[
        bool, Field(description="compare outputs with those at the checkpoint, which makes it an exact minimum, not with labels")
    ] = False
    refine: Annotated[
        Refine | None, NotEmpty, Field(description="also sample with only some components free to move, and on other data")
    ] = None
    per_example: Annotated[PerExample | None, NotEmpty, Field(description="keep losses of single examples")] = None

    @model_validator(mode="after")
    def check_sampler(self) -> Self:
        if self.sampler.kind == "mala" and self.batch_size is not None:
            raise ValueError("sampler mala takes the full batch; leave llc.batch_size out")
        if self.per_example is not None and self.per_example.every > self.draws:
            raise ValueError(f"llc.per_example.every ({self.per_example.every}) is larger than llc.draws ({self.draws})")
        return self
