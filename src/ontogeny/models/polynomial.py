"""A polynomial whose coefficients are products of parameters, c_j = Π_i θ_ji^{e_ji}: singular, with known coefficients λ.

With one coefficient it is a normal crossing, K = ½ (θ_1^{e_1} θ_2^{e_2} …)². With coefficients of 1, 2, 3, … parameters it is
Skalse's machine, θ1 + θ2 θ3 x + θ4 θ5 θ6 x² + …
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import mul

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ontogeny.config.models.polynomial import Polynomial as Config
from ontogeny.problem.problem import Predicate


class Polynomial(nnx.Module):
    """The map from (φ_0(x), φ_1(x), …) to Σ_j c_j φ_j(x); `factors.j` are the parameters of coefficient j."""

    def __init__(self, exponents: list[list[int]], factors: list[Float[Array, " powers"]]):
        self.exponents = tuple(map(tuple, exponents))
        self.factors = nnx.List([nnx.Param(values) for values in factors])

    def __call__(self, basis: Float[Array, "batch terms"]) -> Float[Array, "batch 1"]:
        return (basis @ self.coefficients())[:, None]

    def coefficients(self) -> Float[Array, " terms"]:
        """Return c_0, c_1 and so on."""
        return jnp.stack(
            [
                reduce(mul, [values[...][i] ** power for i, power in enumerate(powers)])
                for values, powers in zip(self.factors, self.exponents, strict=True)
            ]
        )

    def components(self) -> Mapping[str, Predicate]:
        """Return the predicates of `factors.j`, the parameters of coefficient j."""
        return {f"factors.{j}": of_array(f"factors.{j}") for j in range(len(self.factors))}


def of_array(path: str) -> Predicate:
    """Return the predicate of one array of parameters."""
    return lambda shapes: {path: ()}


def build(config: Config, shape: Mapping[str, int]) -> Callable[[nnx.Rngs], Polynomial]:
    """Return the function that makes the module for a task with this many `terms`.

    With `start`, the parameters of a coefficient c have the same size |c|^{1 / Σ e}, and the first has the sign of c.
    """
    if config.start is None:
        return lambda rngs: Polynomial(
            config.exponents,
            [config.spread * jax.random.normal(rngs.params(), (len(powers),)) for powers in config.exponents],
        )
    values = [start_at(value, powers) for value, powers in zip(config.start, config.exponents, strict=True)]
    return lambda rngs: Polynomial(config.exponents, [jnp.asarray(value) for value in values])


def start_at(coefficient: float, powers: list[int]) -> list[float]:
    """Return parameters of one size whose product with these exponents is the coefficient."""
    size = abs(coefficient) ** (1 / sum(powers))
    return [-size if coefficient < 0 else size, *[size] * (len(powers) - 1)]
