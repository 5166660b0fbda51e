"""ontogeny: train, sample the local learning coefficient along training, find phase transitions, report.

The public names below are resolved when they are first used, so that `import ontogeny` imports no JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.behavioural import behavioural_loss
    from ontogeny.divergences import kullback_leibler, squared_difference
    from ontogeny.information import information_criteria, per_example_losses
    from ontogeny.llc import Estimate, estimate_behavioural_llc, estimate_llc, summarise
    from ontogeny.sampling.calibration import calibrate
    from ontogeny.sampling.chains import Traces, sample
    from ontogeny.sampling.mala import MALA
    from ontogeny.sampling.references import MCLMC, NUTS
    from ontogeny.sampling.rmsprop_sgld import RMSPropSGLD
    from ontogeny.sampling.sghmc import SGHMC
    from ontogeny.sampling.sgld import SGLD
    from ontogeny.sampling.sgnht import SGNHT
    from ontogeny.transitions import critical_sample_size, detect_transitions

HOMES = {
    "Estimate": "ontogeny.llc",
    "MALA": "ontogeny.sampling.mala",
    "MCLMC": "ontogeny.sampling.references",
    "NUTS": "ontogeny.sampling.references",
    "RMSPropSGLD": "ontogeny.sampling.rmsprop_sgld",
    "SGHMC": "ontogeny.sampling.sghmc",
    "SGLD": "ontogeny.sampling.sgld",
    "SGNHT": "ontogeny.sampling.sgnht",
    "Traces": "ontogeny.sampling.chains",
    "behavioural_loss": "ontogeny.behavioural",
    "calibrate": "ontogeny.sampling.calibration",
    "critical_sample_size": "ontogeny.transitions",
    "detect_transitions": "ontogeny.transitions",
    "estimate_behavioural_llc": "ontogeny.llc",
    "estimate_llc": "ontogeny.llc",
    "information_criteria": "ontogeny.information",
    "kullback_leibler": "ontogeny.divergences",
    "per_example_losses": "ontogeny.information",
    "sample": "ontogeny.sampling.chains",
    "squared_difference": "ontogeny.divergences",
    "summarise": "ontogeny.llc",
}

__all__ = [
    "MALA",
    "MCLMC",
    "NUTS",
    "SGHMC",
    "SGLD",
    "SGNHT",
    "Estimate",
    "RMSPropSGLD",
    "Traces",
    "behavioural_loss",
    "calibrate",
    "critical_sample_size",
    "detect_transitions",
    "estimate_behavioural_llc",
    "estimate_llc",
    "information_criteria",
    "kullback_leibler",
    "per_example_losses",
    "sample",
    "squared_difference",
    "summarise",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'ontogeny' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
