"""The samplers of config.yaml: `llc.sampler:` of a family."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from ontogeny.config.kinds import kind_tag
from ontogeny.config.section import Positive, Section, Share

Step = Annotated[
    Positive | Literal["auto"],
    Field(description="epsilon: the drift is epsilon/2, the noise has variance epsilon; auto: the longest that is not biased"),
]
Friction = Annotated[float, Field(gt=0, le=1, description="alpha: the share of its velocity that a chain loses in a step")]


class SGLDSampler(Section):
    """Stochastic gradient Langevin dynamics with localisation (Lau et al. 2023)."""

    kind: Literal["sgld"] = "sgld"
    step_size: Step = "auto"


class RMSPropSGLDSampler(Section):
    """SGLD with a step of its own for every parameter, frozen once burn-in ends."""

    kind: Literal["rmsprop_sgld"]
    step_size: Annotated[Positive, Field(description="epsilon; divided by sqrt(v) + stability for each parameter")] = 1e-4
    decay: Annotated[Share, Field(description="beta_2 of the mean squared gradient v")] = 0.999
    stability: Annotated[Positive, Field(description="a, added to sqrt(v)")] = 0.1
    freeze: Annotated[bool, Field(description="whether v stays what it is when burn-in ends; else the estimate is biased")] = True


class SGHMCSampler(Section):
    """Stochastic gradient Hamiltonian Monte Carlo (Chen et al. 2014)."""

    kind: Literal["sghmc"]
    step_size: Step = "auto"
    friction: Friction = 0.1


class SGNHTSampler(Section):
    """The stochastic gradient Nose-Hoover thermostat (Ding et al. 2014)."""

    kind: Literal["sgnht"]
    step_size: Step = "auto"
    friction: Friction = 0.1


class MALASampler(Section):
    """The Metropolis-adjusted Langevin algorithm, on the full batch."""

    kind: Literal["mala"]
    step_size: Step = "auto"


Sampler = Annotated[
    Annotated[SGLDSampler, Tag("sgld")]
    | Annotated[RMSPropSGLDSampler, Tag("rmsprop_sgld")]
    | Annotated[SGHMCSampler, Tag("sghmc")]
    | Annotated[SGNHTSampler, Tag("sgnht")]
    | Annotated[MALASampler, Tag("mala")],
    Discriminator(lambda value: kind_tag({"kind": "sgld", **value} if isinstance(value, dict) else value)),
]
