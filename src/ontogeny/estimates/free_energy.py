"""Where the free energies of two phases cross.

With n examples, the free energy of a phase is n L + λ log n up to terms that do not grow (Watanabe 2009; Chen et al. 2023,
arXiv 2310.06301, section 4). A transition to lower loss at higher λ is therefore one that the Bayesian posterior makes too, at
the critical sample size.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import lambertw

INTERVAL = (0.025, 0.975)
DRAWS = 4096
"""Random errors from which the interval is computed."""


def critical_sample_size(
    delta_loss: float,
    delta_llc: float,
    delta_negative_log_prior: float = 0.0,
    *,
    covariance: Float[np.ndarray, "2 2"] | None = None,
    degrees_of_freedom: float | tuple[float, float] = np.inf,
) -> tuple[float, float, float]:
    """Return the n from which the posterior prefers the later phase: the largest root of n ΔL + Δλ log n + Δc = 0.

    Chen et al. 2023 (arXiv 2310.06301), section 4. The root has a closed form: n = -(Δλ/|ΔL|) W₋₁(-(|ΔL|/Δλ) exp(-Δc/Δλ)).

    Args:
        delta_loss: ΔL, loss per example after minus before.
        delta_llc: Δλ, after minus before.
        delta_negative_log_prior: Δc, minus the log prior, after minus before.
        covariance: of the errors of (ΔL, Δλ); None gives no interval.
        degrees_of_freedom: of their standard errors, at least 1, one for both or one each. The errors then have Student's t
            distribution; infinity makes them normal.

    Returns:
        The value, and the ends of its 95% interval (NaN without a covariance). The value is NaN where the loss does not fall, λ̂
        does not rise or the free energies do not cross. For the interval, a random draw whose loss does not fall counts as
        infinity (the later phase never wins by its loss), and one that does not cross otherwise as 0 (the later phase wins at
        every n).

    Raises:
        ValueError: the covariance is not a finite, positive semi-definite 2 × 2 matrix, or the degrees of freedom are below 1.
    """
    value = float(largest_root(np.array(delta_loss), np.array(delta_llc), delta_negative_log_prior))
    if covariance is None or np.isnan(value):
        return value, np.nan, np.nan
    given = np.asarray(covariance, dtype=float)
    if given.shape != (2, 2) or not np.all(np.isfinite(given)) or np.linalg.eigvalsh(given)[0] < -1e-9 * np.trace(given):
        raise ValueError("covariance must be a finite, positive semi-definite 2 x 2 matrix: of delta_loss and delta_llc")
    freedoms = np.broadcast_to(np.asarray(degrees_of_freedom, float), 2)
    if not np.all(freedoms >= 1):
        raise ValueError(f"degrees_of_freedom must be at least 1 each; got {degrees_of_freedom}")
    errors = students(given, freedoms)
    losses, llcs = np.array([[delta_loss], [delta_llc]]) + errors
    roots = largest_root(losses, llcs, delta_negative_log_prior)
    roots = np.where(np.isnan(roots), np.where(losses >= 0, np.inf, 0.0), roots)
    low, high = np.quantile(roots, INTERVAL, method="inverted_cdf")
    return value, float(low), float(high)


def students(covariance: Float[np.ndarray, "2 2"], degrees_of_freedom: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2 draws"]:
    """Return random errors with Student's t distribution.

    Their normal part has the covariance given; each is divided by the root of its own chi-squared variable over its degrees of
    freedom.
    """
    generator = np.random.default_rng(0)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    normal = vectors @ (np.sqrt(np.maximum(eigenvalues, 0))[:, None] * generator.standard_normal((2, DRAWS)))
    for row, freedom in zip(normal, degrees_of_freedom, strict=True):
        if np.isfinite(freedom):
            row /= np.sqrt(generator.chisquare(freedom, DRAWS) / freedom)
    return normal


def largest_root(
    delta_loss: Float[np.ndarray, "..."], delta_llc: Float[np.ndarray, "..."], constant: float
) -> Float[np.ndarray, "..."]:
    """Return the largest root of n ΔL + Δλ log n + Δc; NaN where there is none, ΔL ≥ 0 or Δλ ≤ 0."""
    with np.errstate(all="ignore"):
        ratio = np.where((delta_loss < 0) & (delta_llc > 0), -delta_loss / delta_llc, np.nan)
        root = lambertw(-ratio * np.exp(-constant / delta_llc), k=-1)
        return np.where(np.abs(root.imag) < 1e-9, -root.real / ratio, np.nan)
