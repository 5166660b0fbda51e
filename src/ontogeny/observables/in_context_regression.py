"""How far a network's predictions are from ridge regression and from dMMSE, and what becomes of its LayerNorms.

Distances are mean squared differences of predictions, averaged over the pairs of the held-out sequences (Raventós et al. 2023;
Carroll et al. 2025). That from the Bayes predictor of the task is the network's expected loss beyond the smallest one.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Float

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Task
from ontogeny.tasks.in_context_regression import predicted, squared_error

NEEDS = Needs(provides=("predictors", "bayes", "out_of_distribution"))
VANISHED = 0.1
"""A weight of a LayerNorm has vanished below this absolute value; all are 1 at step 0."""


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return distances from the predictors, `gap_to_bayes`, `out_of_distribution_loss`, and weights of LayerNorms."""
    tokens = task.data.evaluation[0]
    exact = {name: predict(tokens) for name, predict in task.provides["predictors"].items()}
    exact["zero"] = jnp.zeros_like(exact["ridge"])
    bayes = task.provides["bayes"]
    unit = jnp.mean(exact[bayes] ** 2)

    def error(params: Params, batch: Batch) -> Float[Array, ""]:
        return mean_in_parts(
            lambda rows: network.apply(params, rows[0]),
            lambda outputs, rows: squared_error(predicted(outputs), rows[1]),
            batch,
        )

    def distance(name: str) -> ObservableFunction:
        return lambda params: error(params, (tokens, exact[name]))

    other = task.provides["out_of_distribution"]
    measured: dict[str, ObservableFunction] = {f"distance_from_{name}": distance(name) for name in exact}
    return measured | {
        "gap_to_bayes": lambda params: error(params, (tokens, exact[bayes])) / unit,
        "out_of_distribution_loss": lambda params: {name: error(params, batch) for name, batch in other.items()},
        "layer_norm_scale": lambda params: {name: jnp.abs(scale).mean() for name, scale in layer_norms(params).items()},
        "layer_norm_vanished": lambda params: {
            name: (jnp.abs(scale) < VANISHED).mean() for name, scale in layer_norms(params).items()
        },
    }


def layer_norms(params: Params) -> dict[str, Float[Array, " width"]]:
    """Return the weights of every LayerNorm, by its path: `layers.0.attention_norm`, `norm`."""
    suffix = ".scale"
    return {path.removesuffix(suffix): array for path, array in params.items() if path.endswith(f"norm{suffix}")}
