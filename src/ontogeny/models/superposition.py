"""The toy model of superposition, f(x; W, b) = ReLU(Wᵀ W x + b) (Elhage et al. 2022; Chen et al. 2023, section 2).

Chen et al. start training near a k-gon. A k-gon is a critical point of the population loss: the columns of k features are
the corners of a regular polygon, and the columns of the other features, the dead ones, are zero.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ontogeny.config.models.superposition import Superposition as Config
from ontogeny.errors import SpecificationError

LENGTH_AND_BIAS = {
    3: (1.0, 0.0),
    4: (1.0, 0.0),
    5: (1.1704596, -0.2822973),
    6: (1.3205263, -0.6181351),
    7: (1.4483938, -0.9669063),
}
"""k -> the length of the columns and the bias of the features in a k-gon (Chen et al. 2023, arXiv 2310.06301, table A.1)."""


class Superposition(nnx.Module):
    """The map x ↦ ReLU(Wᵀ W x + b), with W of shape [hidden, features] and b of shape [features]."""

    def __init__(self, weight: Float[Array, "hidden features"], bias: Float[Array, " features"]):
        self.weight = nnx.Param(weight)
        self.bias = nnx.Param(bias)

    def __call__(self, x: Float[Array, "batch features"]) -> Float[Array, "batch features"]:
        # The examples are on the last axis, which is twice as fast on a CPU: six features do not fill its vector registers.
        hidden = self.activations(x)["hidden"].T
        return jax.nn.relu(self.weight[...].T @ hidden + self.bias[...][:, None]).T

    def activations(self, x: Float[Array, "batch features"]) -> dict[str, Float[Array, "batch hidden"]]:
        """Return `hidden`, the vectors W x."""
        return {"hidden": (self.weight[...] @ x.T).T}

    def feature_vectors(self) -> Float[Array, "hidden features"]:
        """Return the column of W of each feature."""
        return self.weight[...]

    def feature_biases(self) -> Float[Array, " features"]:
        """Return the bias of each feature."""
        return self.bias[...]


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Superposition]:
    """Return the function that makes the module for a task with this many `features`.

    Without `start`, W is Gaussian with variance 1 / features and b is zero. With `start`, the first k columns form the
    polygon, the other columns and their biases are zero, and Gaussian noise is added to every parameter. Each dead bias
    therefore starts with a random sign. A positive one grows towards 1 / (2 features), so a run can reach each of the
    levels k, k+ and k++.

    Raises:
        SpecificationError: no polygon of that size is known, or none fits.
    """
    features = shape["features"]
    if config.start is None:
        spread = features**-0.5
        return lambda rngs: Superposition(
            spread * jax.random.normal(rngs.params(), (config.hidden, features)), jnp.zeros(features)
        )
    weight, bias = polygon(config.start.polygon, features)
    noise = config.start.noise
    return lambda rngs: Superposition(
        jnp.asarray(weight) + noise * jax.random.normal(rngs.params(), weight.shape),
        jnp.asarray(bias) + noise * jax.random.normal(rngs.params(), bias.shape),
    )


def polygon(k: int, features: int, dead_bias: float = 0.0) -> tuple[Float[Array, "2 features"], Float[Array, " features"]]:
    """Return W and b at a k-gon among `features` features; dead features have the bias `dead_bias`.

    Raises:
        SpecificationError: the k-gon is not in the table, or has more corners than there are features.
    """
    if k not in LENGTH_AND_BIAS or k > features:
        known = ", ".join(str(corners) for corners in LENGTH_AND_BIAS if corners <= features)
        raise SpecificationError(f"start.polygon is {k}; with {features} features it may be {known}")
    length, live_bias = LENGTH_AND_BIAS[k]
    angles = 2 * np.pi * np.arange(k) / k
    weight = np.zeros((2, features))
    weight[:, :k] = length * np.stack([np.cos(angles), np.sin(angles)])
    bias = np.where(np.arange(features) < k, live_bias, dead_bias)
    return jnp.asarray(weight), jnp.asarray(bias)
