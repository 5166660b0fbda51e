"""ontogeny: train, sample the local learning coefficient along training, find phase transitions, report.

The public names below are resolved when they are first used, so that `import ontogeny` imports no JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.estimate import calibrate, estimate_behavioural_llc, estimate_llc, sample
    from ontogeny.estimates.free_energy import critical_sample_size
    from ontogeny.estimates.information import information_criteria
    from ontogeny.estimates.llc import Estimate, summarise
    from ontogeny.estimates.thermodynamic import free_energy_difference
    from ontogeny.notebook import plot_trajectory
    from ontogeny.problem.behavioural import behavioural_loss
    from ontogeny.problem.divergences import kullback_leibler, squared_difference
    from ontogeny.report.library import write_report
    from ontogeny.results import Run, load_run
    from ontogeny.sampling.draws import Draws
    from ontogeny.sampling.kernels.blackjax import MCLMC, NUTS
    from ontogeny.sampling.kernels.mala import MALA
    from ontogeny.sampling.kernels.rmsprop_sgld import RMSPropSGLD
    from ontogeny.sampling.kernels.sghmc import SGHMC
    from ontogeny.sampling.kernels.sgld import SGLD
    from ontogeny.sampling.kernels.sgnht import SGNHT
    from ontogeny.sampling.losses import per_example_losses
    from ontogeny.sampling.target import Target
    from ontogeny.transitions.detection.detect import detect_transitions

    __version__: str

HOMES = {
    "Draws": "ontogeny.sampling.draws",
    "Estimate": "ontogeny.estimates.llc",
    "MALA": "ontogeny.sampling.kernels.mala",
    "MCLMC": "ontogeny.sampling.kernels.blackjax",
    "NUTS": "ontogeny.sampling.kernels.blackjax",
    "RMSPropSGLD": "ontogeny.sampling.kernels.rmsprop_sgld",
    "SGHMC": "ontogeny.sampling.kernels.sghmc",
    "SGLD": "ontogeny.sampling.kernels.sgld",
    "Run": "ontogeny.results",
    "SGNHT": "ontogeny.sampling.kernels.sgnht",
    "Target": "ontogeny.sampling.target",
    "behavioural_loss": "ontogeny.problem.behavioural",
    "calibrate": "ontogeny.estimate",
    "critical_sample_size": "ontogeny.estimates.free_energy",
    "detect_transitions": "ontogeny.transitions.detection.detect",
    "estimate_behavioural_llc": "ontogeny.estimate",
    "estimate_llc": "ontogeny.estimate",
    "free_energy_difference": "ontogeny.estimates.thermodynamic",
    "information_criteria": "ontogeny.estimates.information",
    "load_run": "ontogeny.results",
    "kullback_leibler": "ontogeny.problem.divergences",
    "per_example_losses": "ontogeny.sampling.losses",
    "plot_trajectory": "ontogeny.notebook",
    "sample": "ontogeny.estimate",
    "squared_difference": "ontogeny.problem.divergences",
    "summarise": "ontogeny.estimates.llc",
    "write_report": "ontogeny.report.library",
}

__all__ = [
    "MALA",
    "MCLMC",
    "NUTS",
    "SGHMC",
    "SGLD",
    "SGNHT",
    "Draws",
    "Estimate",
    "RMSPropSGLD",
    "Run",
    "Target",
    "behavioural_loss",
    "calibrate",
    "critical_sample_size",
    "detect_transitions",
    "estimate_behavioural_llc",
    "estimate_llc",
    "free_energy_difference",
    "information_criteria",
    "kullback_leibler",
    "load_run",
    "per_example_losses",
    "plot_trajectory",
    "sample",
    "squared_difference",
    "summarise",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ontogeny")
    if name not in HOMES:
        raise AttributeError(f"module 'ontogeny' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
