"""The samplers of config.yaml (`llc.sampler:` of a family)."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from ontogeny.config.kinds import kind_tag
from ontogeny.config.section import Positive, Section, Share

Step = Annotated[
    Positive | Literal["auto"],
    Field(
        description="The step size is this ε: the drift of a step is multiplied by ε / 2 and its noise has variance ε. "
        "`auto` picks the largest step whose estimated bias in λ̂ is below 2%."
    ),
]
Friction = Annotated[
    Annotated[float, Field(gt=0, le=1)] | Literal["auto"],
    Field(
        description="A chain loses this share α of its velocity in a step; `auto` damps the flattest direction critically, "
        "α = 2 √(ε γ / 2)."
    ),
]


class SGLDSampler(Section):
    """The chains follow stochastic gradient Langevin dynamics with localisation (Lau et al. 2023)."""

    kind: Annotated[Literal["sgld"], Field(description="The kind `sgld` selects this sampler.")] = "sgld"
    step_size: Step = "auto"


class RMSPropSGLDSampler(Section):
    """The chains follow SGLD with a step of its own for every parameter, from the mean squared gradient v."""

    kind: Annotated[Literal["rmsprop_sgld"], Field(description="The kind `rmsprop_sgld` selects this sampler.")]
    step_size: Annotated[Positive, Field(description="The step of a parameter is this ε divided by (√v + stability).")] = 1e-4
    decay: Annotated[Share, Field(description="The mean squared gradient v decays by this factor β₂ in a step.")] = 0.999
    stability: Annotated[Positive, Field(description="This number is added to √v.")] = 0.1
    freeze: Annotated[
        bool, Field(description="The value true keeps v as it is when burn-in ends; with false the estimate is biased.")
    ] = True


class SGHMCSampler(Section):
    """The chains follow stochastic gradient Hamiltonian Monte Carlo (Chen et al. 2014)."""

    kind: Annotated[Literal["sghmc"], Field(description="The kind `sghmc` selects this sampler.")]
    step_size: Step = "auto"
    friction: Friction = "auto"


class SGNHTSampler(Section):
    """The chains follow the stochastic gradient Nosé-Hoover thermostat (Ding et al. 2014)."""

    kind: Annotated[Literal["sgnht"], Field(description="The kind `sgnht` selects this sampler.")]
    step_size: Step = "auto"
    friction: Friction = "auto"


class MALASampler(Section):
    """The chains follow the Metropolis-adjusted Langevin algorithm on the full batch."""

    kind: Annotated[Literal["mala"], Field(description="The kind `mala` selects this sampler.")]
    step_size: Step = "auto"


Sampler = Annotated[
    Annotated[SGLDSampler, Tag("sgld")]
    | Annotated[RMSPropSGLDSampler, Tag("rmsprop_sgld")]
    | Annotated[SGHMCSampler, Tag("sghmc")]
    | Annotated[SGNHTSampler, Tag("sgnht")]
    | Annotated[MALASampler, Tag("mala")],
    Discriminator(lambda value: kind_tag({"kind": "sgld", **value} if isinstance(value, dict) else value)),
]
