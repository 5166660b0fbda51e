"""Where the free energies of two phases cross.

With n examples, the free energy of a phase is n L + λ log n up to terms that do not grow (Watanabe 2009; Chen et al. 2023,
arXiv 2310.06301, section 4). A transition to lower loss at higher λ is therefore one that the Bayesian posterior makes too, at
the critical sample size. The formula leaves out the volumes of the two phases. `volumes_matter` says where they count, and
`thermodynamic` has a method that does not leave them out.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import lambertw

INTERVAL = (0.025, 0.975)
DRAWS = 4096
"""Random errors from which the interval is computed."""
VOLUMES = 5.0
"""The terms of order 1 that the formula leaves out, in units of Δλ. They were 3 to 5 Δλ at the polygons of docs/detection.md."""
FACTOR = 2.0
"""A critical sample size that such terms move by more than this factor is an order of magnitude."""


def critical_sample_size(
    delta_loss: float,
    delta_llc: float,
    delta_negative_log_prior: float = 0.0,
    *,
    covariance: Float[np.ndarray, "2 2"] | None = None,
    degrees_of_freedom: float | tuple[float, float] = np.inf,
    systematic_error: float = 0.0,
) -> tuple[float, float, float]:
    """Return the n from which the posterior prefers the later phase: the largest root of n ΔL + Δλ log n + Δc = 0.

    Chen et al. 2023 (arXiv 2310.06301), section 4. The root has a closed form: n = -(Δλ/|ΔL|) W₋₁(-(|ΔL|/Δλ) exp(-Δc/Δλ)).

    Args:
        delta_loss: ΔL, loss per example after minus before. n counts the examples whose loss this is: where it is the loss of a
            whole window, n counts windows.
        delta_llc: Δλ, after minus before.
        delta_negative_log_prior: Δc, minus the log prior, after minus before.
        covariance: of the errors of (ΔL, Δλ); None gives no interval.
        degrees_of_freedom: of their standard errors, at least 1, one for both or one each. The errors then have Student's t
            distribution; infinity makes them normal.
        systematic_error: the standard deviation of a further, normal error of Δλ that more draws would not lower: of the choice
            of nβ and γ, and of the bias of the step. It widens the interval.

    Returns:
        The value, and the ends of its 95% interval (NaN without a covariance). The value is NaN where the loss does not fall, λ̂
        does not rise or the free energies do not cross. For the interval, a random draw whose loss does not fall counts as
        infinity (the later phase never wins by its loss), and one that does not cross otherwise as 0 (the later phase wins at
        every n).

    Raises:
        ValueError: the covariance is not a finite, positive semi-definite 2 × 2 matrix, the degrees of freedom are below 1, or
            the systematic error is negative or not finite.
    """
    if not 0 <= systematic_error < np.inf:
        raise ValueError(f"systematic_error must be finite and at least 0; got {systematic_error}")
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
    errors[1] += systematic_error * np.random.default_rng(1).standard_normal(DRAWS)
    losses, llcs = np.array([[delta_loss], [delta_llc]]) + errors
    roots = largest_root(losses, llcs, delta_negative_log_prior)
    roots = np.where(np.isnan(roots), np.where(losses >= 0, np.inf, 0.0), roots)
    low, high = np.quantile(roots, INTERVAL, method="inverted_cdf")
    return value, float(low), float(high)


def volumes_matter(delta_loss: float, delta_llc: float, delta_negative_log_prior: float = 0.0) -> bool:
    """Return whether a critical sample size is an order of magnitude alone.

    n L + λ log n leaves out terms of order 1: how many copies of a phase there are, and how wide each is. The result is true
    where such terms of ± `VOLUMES` Δλ move the critical sample size by more than `FACTOR`, or remove the crossing.
    """
    constants = delta_negative_log_prior + VOLUMES * delta_llc * np.array([-1.0, 0.0, 1.0])
    low, value, high = (float(largest_root(np.array(delta_loss), np.array(delta_llc), constant)) for constant in constants)
    return not (value / FACTOR <= low and high <= FACTOR * value)


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
