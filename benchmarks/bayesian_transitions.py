"""`python -m benchmarks.bayesian_transitions`: where the posterior itself passes from 5-gon to 6-gon, and where λ says it does.

The toy model of superposition of six features (Chen et al. 2023, arXiv 2310.06301), with its exact population loss and the prior
φ(w) ∝ exp(-|w|²/2). The posterior p(w) ∝ exp(-n L(w)) φ(w) is sampled by tempered sequential Monte Carlo while n grows; each
particle is classified by the corners of the convex hull of its columns. The prediction is the n at which the free energies
n L + λ log n - log φ of the two phases cross, by `critical_sample_size` from the exact losses, λ = 7 and 8.5, and |w|²/2 at dead
bias 0: 601. Repeats are independent; the error of a share is their spread.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ontogeny
from ontogeny.models.superposition import polygon
from ontogeny.observables.polygons import hull_corners
from ontogeny.sampling.tempered import temper
from ontogeny.tasks.sparse_features import population_loss

FEATURES = 6
LARGEST, STEPS = 2400, 120
CURVATURE = 1.0
SHOWN = (100, 200, 300, 400, 500, 600, 700, 800, 1000, 1200, 1600, 2400)
LEARNING_COEFFICIENTS = {5: 7.0, 6: 8.5}


def half_square(w: Any) -> Any:
    return sum(jnp.sum(leaf**2) for leaf in w) / 2


def predicted() -> float:
    """The critical sample size of 5 → 6 from free energies."""
    phases = {k: polygon(k, FEATURES, dead_bias=0.0) for k in (5, 6)}
    losses = {k: float(population_loss(*phase)) for k, phase in phases.items()}
    priors = {k: float(half_square(phase)) for k, phase in phases.items()}
    change = LEARNING_COEFFICIENTS[6] - LEARNING_COEFFICIENTS[5]
    return ontogeny.critical_sample_size(losses[6] - losses[5], change, priors[6] - priors[5])[0]


@partial(jax.jit, static_argnums=1)
def occupancy(key: Any, particles: int) -> Any:
    """[sizes, 7]: the posterior's share of hulls with 0 … 6 corners at each n."""
    start_key, key = jax.random.split(key)
    weight_key, bias_key = jax.random.split(start_key)
    start = (jax.random.normal(weight_key, (particles, 2, FEATURES)), jax.random.normal(bias_key, (particles, FEATURES)))
    found = temper(lambda w: population_loss(*w), half_square, start, sizes(), key=key, curvature=CURVATURE)
    corners = jax.lax.map(jax.vmap(hull_corners), found.particles[0])
    return jnp.einsum("np,npk->nk", found.weights, jax.nn.one_hot(corners, FEATURES + 1))


def sizes() -> Any:
    return jnp.geomspace(1.0, LARGEST, STEPS)


def crossing(shares: np.ndarray) -> float:
    """The first n from which on the 6-gon holds more than the 5-gon; NaN where there is none."""
    more = shares[:, 6] > shares[:, 5]
    stays = np.flatnonzero(~more)
    return float(sizes()[stays[-1] + 1]) if more[-1] and len(stays) and more.any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--output", type=Path, help="write the shares here as JSON")
    arguments = parser.parse_args()
    found = np.array([occupancy(jax.random.key(seed), arguments.particles) for seed in range(arguments.repeats)])
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    print("| n | 3 corners | 4 | 5 | 6 |\n|---|---|---|---|---|")
    for n in SHOWN:
        place = int(np.argmin(np.abs(np.asarray(sizes()) - n)))
        print(f"| {n} | " + " | ".join(f"{mean[place, k]:.3f} ± {error[place, k]:.3f}" for k in (3, 4, 5, 6)) + " |")
    crossings = [crossing(shares) for shares in found]
    print(f"predicted from free energies: n = {predicted():.1f}")
    print(f"the 6-gon holds more than the 5-gon from n = {np.round(crossings, 0).tolist()} on; of the mean: {crossing(mean):.0f}")
    if arguments.output:
        rows = {"sizes": np.asarray(sizes()).tolist(), "shares": found.tolist(), "predicted": predicted(), "crossings": crossings}
        arguments.output.write_text(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
