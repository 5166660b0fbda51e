"""`python -m benchmarks.bayesian_transitions`: where the posterior itself passes from 5-gon to 6-gon, and where λ says it does.

The toy model of superposition of six features (Chen et al. 2023, arXiv 2310.06301), with its exact population loss and the prior
φ(w) ∝ exp(-|w|²/2), sampled by tempered SMC as in `studies/bayesian-transitions.yaml`, with as many particles as one likes.
Repeats are independent; the error of a share is their spread.
"""

import argparse
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ontogeny.phases.polygons import polygon_occupancy, polygon_transitions

FEATURES = 6
SIZES = np.geomspace(1.0, 2400, 120)
SHOWN = (100, 200, 300, 400, 500, 600, 700, 800, 1000, 1200, 1600, 2400)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--output", type=Path, help="write the shares here as JSON")
    arguments = parser.parse_args()
    keys = [jax.random.key(seed) for seed in range(arguments.repeats)]
    shares = np.array(
        [polygon_occupancy(FEATURES, jnp.asarray(SIZES), key=key, particles=arguments.particles).shares for key in keys]
    )
    mean, error = shares.mean(axis=0), shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
    print("| n | 3 corners | 4 | 5 | 6 |\n|---|---|---|---|---|")
    for n in SHOWN:
        place = int(np.argmin(np.abs(SIZES - n)))
        print(f"| {n} | " + " | ".join(f"{mean[place, k]:.3f} ± {error[place, k]:.3f}" for k in (3, 4, 5, 6)) + " |")
    transitions = polygon_transitions(FEATURES, SIZES, shares, prior_variance=1.0)
    for row in transitions:
        print(f"{row['before']} → {row['after']}: found {np.round(row['found'], 1).tolist()}, predicted {row['predicted']}")
    if arguments.output:
        rows = {"sizes": SIZES.tolist(), "shares": shares.tolist(), "transitions": transitions}
        arguments.output.write_text(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
