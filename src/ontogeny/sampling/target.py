"""The local posterior that chains sample, with all that a sampler needs to know of it."""

import math
from typing import Literal, NamedTuple, Self, get_args

import jax
import jax.numpy as jnp

from ontogeny.arrays.flat import Checkpoints, Mask, single_precision
from ontogeny.sampling import checks
from ontogeny.sampling.objective import Examples, Loss

Projection = Literal["gradient"]
"""`gradient`: chains stay in the hyperplane through w* that is normal to ∇L_n(w*)."""


class Target(NamedTuple):
    """The local posterior p(w) ∝ exp(-nβ L_n(w) - (γ/2)|w - w*|²), for whatever checkpoint w* chains start at.

    Make a target with `Target.of`, which checks every field. `_replace` checks nothing.

    Attributes:
        loss: (params, batch) -> [batch]; (params, None) -> a scalar where data is None. A compiled program belongs to one loss:
            keep the same object to reuse it.
        data: pytree of arrays with a leading axis of n examples; None for a potential.
        n: the number of examples; None for a potential whose n was not given.
        batch_size: examples of one step, drawn independently with replacement; None for all n.
        inverse_temperature: nβ.
        localization: γ.
        mask: pytree of 0 and 1 shaped like one checkpoint. Parameters at 0 stay where they are. None lets all move.
        projection: "gradient" keeps chains in the hyperplane through w* normal to ∇L_n(w*), where w* is no minimum. At a minimum
            (`LocalPosterior.is_negligible`) it changes nothing.
        control_variates: subtract the noise that minibatches have at w* from losses and gradients (`objective.anchored`), for a
            second gradient in each step. Without effect on the full batch.
    """

    loss: Loss
    data: Examples | None
    n: int | None
    batch_size: int | None
    inverse_temperature: float
    localization: float
    mask: Mask | None = None
    projection: Projection | None = None
    control_variates: bool = False

    @classmethod
    def of(
        cls,
        loss: Loss,
        data: Examples | None,
        checkpoints: Checkpoints,
        *,
        inverse_temperature: float | None = None,
        localization: float = 1.0,
        batch_size: int | None = None,
        n: int | None = None,
        mask: Mask | None = None,
        projection: Projection | None = None,
        control_variates: bool = False,
    ) -> Self:
        """Return the target of a loss on data, checked against the checkpoints that it is for.

        Half precision, of data and checkpoints, counts as float32: `sample` and `calibrate` raise the checkpoints.

        Args:
            loss, data, mask, projection, control_variates: the attributes of those names.
            checkpoints: pytree, every leaf with a leading axis of K checkpoints.
            inverse_temperature: nβ; None for n / log n (Watanabe 2013).
            localization: γ.
            batch_size: examples of one step; None for all n.
            n: the number of examples; None to count them. A potential needs it unless nβ is given.

        Raises:
            ValueError: naming the argument, its shape or value, and what was expected.
        """
        data = single_precision(data)
        check_localization(localization)
        checks.check_choice("projection", projection, (None, *get_args(Projection)))
        checks.check_checkpoints(checkpoints)
        n = number_of_examples(n, data)
        if batch_size is not None:
            check_batch_size(batch_size, data, n)
        if inverse_temperature is not None:
            check_inverse_temperature(inverse_temperature)
        nbeta = default_inverse_temperature(n) if inverse_temperature is None else float(inverse_temperature)
        checks.check_finite(data, "data")
        if mask is not None:
            checks.check_mask(mask, checkpoints)
        checks.check_loss(loss, single_precision(checkpoints), data, batch_size or n or 1)
        data, mask = jax.tree.map(jnp.asarray, (data, mask))
        smaller = None if batch_size == n else batch_size
        return cls(loss, data, n, smaller, nbeta, float(localization), mask, projection, control_variates)

    @property
    def full_batch(self) -> bool:
        return self.batch_size is None

    @property
    def examples_per_step(self) -> int:
        return self.batch_size or self.n or 1


def check_localization(localization: float) -> None:
    checks.check_number("localization", localization)
    if not (math.isfinite(localization) and localization >= 0):
        raise ValueError(f"localization: must be finite and not negative, got {localization}")


def number_of_examples(n: int | None, data: Examples | None) -> int | None:
    """Return the number of examples: that of the data if there are any, else the number given."""
    if data is not None:
        examples = checks.leading_axis(data, "data", "n examples")
        if n is not None and n != examples:
            raise ValueError(f"n: {n} given, but data has a leading axis of {examples}")
        n = examples
    if n is not None and n < 2:
        raise ValueError(f"n: at least 2 examples are needed, got {n}")
    return n


def check_batch_size(batch_size: int, data: Examples | None, n: int | None) -> None:
    if data is None:
        raise ValueError(f"batch_size: {batch_size} given, but data is None; a potential has no batches")
    checks.check_integer("batch_size", batch_size)
    if not 1 <= batch_size <= (n or 0):
        raise ValueError(f"batch_size: must lie between 1 and n = {n}, got {batch_size}")


def check_inverse_temperature(inverse_temperature: float) -> None:
    checks.check_number("inverse_temperature", inverse_temperature)
    if not (math.isfinite(inverse_temperature) and inverse_temperature > 0):
        raise ValueError(f"inverse_temperature: must be positive and finite, got {inverse_temperature}")


def default_inverse_temperature(n: int | None) -> float:
    """Return nβ = n / log n (Watanabe 2013, "A widely applicable Bayesian information criterion")."""
    if n is None:
        raise ValueError("inverse_temperature: give it, or n, when data is None")
    return n / math.log(n)
