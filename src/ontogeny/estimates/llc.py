"""From draws to the local learning coefficient: λ̂ = nβ (E[L(w)] - L(w*)), its error and the checks that it fails.

Lau, Murfet and Wei (2023), "Quantifying degeneracy in singular models via the learning coefficient".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from ontogeny.estimates.localisation import localisation
from ontogeny.estimates.remedies import remedies
from ontogeny.estimates.verdicts import Failed, failed_checks, verdicts
from ontogeny.sampling import diagnostics
from ontogeny.sampling.draws import Draws

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import xarray

    from ontogeny.sampling.calibration.stability import Stability
    from ontogeny.sampling.kernels.kernel import Kernel


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """λ̂ at K checkpoints, with what is needed to trust it or not.

    Attributes:
        mean: λ̂, over the live chains. Negative values are reported, never clipped; NaN where all chains are dead.
        standard_error: of the mean, see `diagnostics.standard_error`.
        per_chain: λ̂ of each chain, NaN for the dead.
        trace: L_b(w) - L_b(w*), read before the step that uses batch b.
        effective_sample_size: of all live draws together.
        r_hat: over the halves of the live chains.
        dead_chains: how many chains met a value that is not finite; they are in none of the other numbers.
        drift: mean of the last third of the trace minus that of its middle third, in standard errors.
        share_below: share of stretches of the traces below L(w*), see `diagnostics.share_below`.
        failed: name of a check -> whether each checkpoint fails it, see `verdicts.failed_checks`. `step_size` fails at all
            checkpoints where the step and the noise of minibatches bias λ̂ as a whole by more than 5%.
        baseline: L_n(w*).
        gradient_norm: |∇L_n(w*)|.
        first_order: nβ E[∇L_n(w*)·(w - w*)], the part of λ̂ that a minimum would not have.
        llc_variance: (nβ)² Var(L) under the same posterior, see `localisation.localisation`. It needs no baseline, so it holds
            where w* is no minimum, too.
        llc_variance_standard_error: of `llc_variance`.
        held_by_localization: the share of λ̂ that the localisation decides, 1 - llc_variance / λ̂: 0 where the loss decides alone.
        held_by_localization_standard_error: of that share.
        inverse_temperature: nβ.
        steps: the labels of the checkpoints.
        sampler, burn_in: what was run, with the step and the burn-in that "auto" chose; None from `summarise`.
        stability: what the step comes to at the curvature that was measured; None where it was not measured.
        refined: the weight-refined λ̂ of each mask of `refine`, by its name (Wang et al. 2024).
    """

    mean: Float[np.ndarray, " checkpoints"]
    standard_error: Float[np.ndarray, " checkpoints"]
    per_chain: Float[np.ndarray, "checkpoints chains"]
    trace: Float[np.ndarray, "checkpoints chains draws"]
    effective_sample_size: Float[np.ndarray, " checkpoints"]
    r_hat: Float[np.ndarray, " checkpoints"]
    dead_chains: Int[np.ndarray, " checkpoints"]
    drift: Float[np.ndarray, " checkpoints"]
    share_below: Float[np.ndarray, " checkpoints"]
    failed: Failed
    baseline: Float[np.ndarray, " checkpoints"]
    gradient_norm: Float[np.ndarray, " checkpoints"]
    first_order: Float[np.ndarray, " checkpoints"]
    llc_variance: Float[np.ndarray, " checkpoints"]
    llc_variance_standard_error: Float[np.ndarray, " checkpoints"]
    held_by_localization: Float[np.ndarray, " checkpoints"]
    held_by_localization_standard_error: Float[np.ndarray, " checkpoints"]
    inverse_temperature: float
    steps: Int[np.ndarray, " checkpoints"]
    sampler: "Kernel | None" = None
    burn_in: int | None = None
    stability: "Stability | None" = None
    refined: Mapping[str, "Estimate"] = field(default_factory=dict)

    def __repr__(self) -> str:
        columns = [
            "step",
            "component",
            "llc",
            "standard_error",
            "held_by_localization",
            "effective_sample_size",
            "r_hat",
            "verdict",
        ]
        table = self.to_frame()[columns].to_string(index=False)
        return "\n".join([f"{type(self).__name__} at nβ = {self.inverse_temperature:g}", table, *self.remedies])

    @property
    def verdict(self) -> list[str]:
        """For each checkpoint "ok", or the names of the failed checks, separated by commas."""
        return verdicts(self.failed)

    @property
    def remedies(self) -> list[str]:
        """Return what would mend the checks that fail, with a number, see `remedies.remedies`."""
        return remedies(self)

    def interval(self, level: float = 0.95) -> tuple[Float[np.ndarray, " checkpoints"], Float[np.ndarray, " checkpoints"]]:
        """Return the interval for λ̂ at each checkpoint, see `diagnostics.interval`. It does not count the bias of the step."""
        return diagnostics.interval(self.per_chain, level)

    @property
    def llc_corrected(self) -> Float[np.ndarray, " checkpoints"]:
        """2 λ̂ - (nβ)² Var(L): on a quadratic Σ ½ (1 - (1 - s)²), which is λ̂ without the first order of what γ takes from it."""
        return 2 * self.mean - self.llc_variance

    @property
    def refined_mean(self) -> Float[np.ndarray, "masks checkpoints"]:
        """λ̂ of each mask, in the order of `refined`."""
        return np.reshape([estimate.mean for estimate in self.refined.values()], (len(self.refined), len(self.mean)))

    @property
    def refined_standard_error(self) -> Float[np.ndarray, "masks checkpoints"]:
        errors = [estimate.standard_error for estimate in self.refined.values()]
        return np.reshape(errors, (len(self.refined), len(self.mean)))

    def to_frame(self) -> "pd.DataFrame":
        """Return a row per checkpoint, of the whole network (component "") and then of each refined component."""
        import pandas as pd

        parts = [estimate.table(component) for component, estimate in {"": self, **self.refined}.items()]
        return pd.concat(parts, ignore_index=True)

    def to_trajectory(self) -> "pd.DataFrame":
        """Return the table that `detect_transitions` takes: λ̂ of the whole network and of each refined component."""
        from ontogeny.trajectory import llc_rows

        return llc_rows(self.to_frame())

    def plot(self) -> "go.Figure":
        """Return a Plotly figure of λ̂ along the checkpoints, see `notebook.plot_trajectory`."""
        return notebook().plot_estimate(self)

    def _repr_html_(self) -> str:
        return notebook().estimate_html(self)

    def to_datatree(self) -> "xarray.DataTree":
        """Return the draws as ArviZ reads them, see `notebook.estimate_datatree`."""
        return notebook().estimate_datatree(self)

    @property
    def chains(self) -> dict[tuple[str, str], Float[np.ndarray, "checkpoints chains"]]:
        """λ̂ of each chain, for `detect_transitions(chains=)`: the errors of checkpoints are correlated."""
        return {("llc", name): estimate.per_chain for name, estimate in {"": self, **self.refined}.items()}

    def by_chain(self, component: str = "") -> "pd.DataFrame":
        """Return a row per checkpoint and chain: step, component, chain, llc, and whether the chain is dead."""
        import pandas as pd

        count, chains = self.per_chain.shape
        values = np.asarray(self.per_chain, float).ravel()
        return pd.DataFrame(
            {
                "step": np.repeat(np.asarray(self.steps, np.int64), chains),
                "component": component,
                "chain": np.tile(np.arange(chains), count),
                "llc": values,
                "dead": ~np.isfinite(values),
            }
        )

    def table(self, component: str) -> "pd.DataFrame":
        """Return a row per checkpoint of this estimate alone, under the name of a component."""
        import pandas as pd

        return pd.DataFrame(
            {
                "step": self.steps,
                "component": component,
                "llc": self.mean,
                "standard_error": self.standard_error,
                "effective_sample_size": self.effective_sample_size,
                "r_hat": self.r_hat,
                "dead_chains": self.dead_chains,
                "share_below": self.share_below,
                "drift": self.drift,
                "full_gradient_norm": self.gradient_norm,
                "first_order": self.first_order,
                "llc_variance": self.llc_variance,
                "llc_variance_standard_error": self.llc_variance_standard_error,
                "llc_corrected": self.llc_corrected,
                "held_by_localization": self.held_by_localization,
                "held_by_localization_standard_error": self.held_by_localization_standard_error,
                "verdict": self.verdict,
            }
        )


def notebook() -> Any:
    """Return the module that draws estimates. It is imported by its name, so that no digest of a job follows it."""
    return import_module("ontogeny.notebook")


def with_step_size_check(estimate: Estimate, *, extrapolated: bool = False) -> Estimate:
    """Add `step_size` to the failed checks where the step and the noise of minibatches bias λ̂ as a whole by more than 5%.

    The bias is that of `estimate.stability`; without it, nothing is added.
    """
    if estimate.stability is None or not estimate.stability.fails(extrapolated=extrapolated):
        return estimate
    return replace(estimate, failed={**estimate.failed, "step_size": np.ones(len(estimate.mean), bool)})


def summarise(draws: Draws) -> Estimate:
    """Return λ̂, its standard error and the health of its chains, at each checkpoint."""
    trace = np.asarray(draws.values)
    values = trace.astype(np.float64)
    chains = values.shape[1]
    alive = ~diagnostics.dead(values)
    per_chain = draws.inverse_temperature * diagnostics.chain_means(values)
    mean = diagnostics.nan_mean(per_chain, axis=1)
    sample_size = diagnostics.effective_sample_size(values)
    health = {
        "dead_chains": (~alive).sum(axis=1),
        "r_hat": diagnostics.split_r_hat(values),
        "drift": diagnostics.drift(values),
        "share_below": diagnostics.share_below(values),
    }
    held = localisation(draws)
    first_order = draws.inverse_temperature * diagnostics.nan_mean(np.where(alive, draws.first_order, np.nan), axis=1)
    standard_error = draws.inverse_temperature * diagnostics.standard_error(values, sample_size)
    return Estimate(
        mean=mean,
        standard_error=standard_error,
        per_chain=per_chain,
        trace=trace,
        effective_sample_size=sample_size,
        failed=failed_checks(
            mean,
            standard_error=standard_error,
            chains=chains,
            sample_size=sample_size,
            first_order=first_order,
            dimension=draws.dimension,
            **health,
        ),
        baseline=np.asarray(draws.baseline),
        gradient_norm=np.asarray(draws.gradient_norm),
        first_order=first_order,
        llc_variance=held.llc_variance,
        llc_variance_standard_error=held.llc_variance_standard_error,
        held_by_localization=held.share,
        held_by_localization_standard_error=held.share_standard_error,
        inverse_temperature=draws.inverse_temperature,
        steps=draws.steps,
        **health,
    )
