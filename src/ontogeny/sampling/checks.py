"""Checks of the input to sampling: each raises a ValueError that names the argument, its value and what was expected."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

STACK = "; a list of them is stacked by jax.tree.map(lambda *leaves: jnp.stack(leaves), *checkpoints)"


def leading_axis(tree: Any, name: str, meaning: str, remedy: str = "") -> int:
    """Return the length of the leading axis that all leaves of `tree` share."""
    shapes = leaf_shapes(tree)
    lengths = {shape[:1] for shape in shapes.values()}
    if len(lengths) != 1 or () in lengths or (0,) in lengths:
        raise ValueError(f"{name}: every leaf needs the same leading axis of {meaning}, got shapes {shapes}{remedy}")
    return lengths.pop()[0]


def leaf_shapes(tree: Any) -> dict[str, tuple[int, ...]]:
    return {jax.tree_util.keystr(path): np.shape(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def check_finite(tree: Any, name: str) -> None:
    """Check that floating-point leaves hold no NaN and no infinity."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) and not np.isfinite(as_numpy(leaf)).all():
            raise ValueError(
                f"{name}: leaf {jax.tree_util.keystr(path)!r} of shape {np.shape(leaf)} holds values that are not finite"
            )


def as_numpy(leaf: Any) -> np.ndarray:
    """Return a leaf as a NumPy array of a type that NumPy can test: float32 for bfloat16 and narrower ones. Compiles nothing."""
    array = np.asarray(leaf)
    return array if array.dtype.kind in "fc" else array.astype(np.float32)


def check_checkpoints(checkpoints: Any) -> None:
    """Check a pytree of finite floating-point leaves with one leading axis."""
    leading_axis(checkpoints, "checkpoints", "K checkpoints", STACK)
    for path, leaf in jax.tree_util.tree_leaves_with_path(checkpoints):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ValueError(
                f"checkpoints: leaf {jax.tree_util.keystr(path)!r} has dtype {jnp.result_type(leaf)}, not floating point"
            )
    check_finite(checkpoints, "checkpoints")


def check_steps(steps: Sequence[int] | None, count: int) -> None:
    """Check that there is one label for each of `count` checkpoints, or None."""
    if steps is not None and len(steps) != count:
        raise ValueError(f"steps: {len(steps)} labels for {count} checkpoints")


def check_mask(mask: Any, checkpoints: Any, name: str = "mask") -> None:
    """Check that the mask is shaped like one checkpoint, holds nothing but 0 and 1, and has a 1 somewhere."""
    expected = {path: shape[1:] for path, shape in leaf_shapes(checkpoints).items()}
    if leaf_shapes(mask) != expected:
        raise ValueError(f"{name}: must be shaped like the parameters, {expected}, got {leaf_shapes(mask)}")
    for path, leaf in jax.tree_util.tree_leaves_with_path(mask):
        if not np.isin(np.asarray(leaf), (0, 1)).all():
            raise ValueError(f"{name}: leaf {jax.tree_util.keystr(path)!r} holds values other than 0 and 1")
    if not any(np.any(leaf) for leaf in jax.tree.leaves(mask)):
        raise ValueError(f"{name}: is 0 everywhere, so that no parameter moves")


def check_refine(refine: Any, checkpoints: Any) -> None:
    """Check a mapping from names to masks. The name "" is that of the whole network."""
    if not isinstance(refine, Mapping) or not all(isinstance(name, str) and name for name in refine):
        raise ValueError(f"refine: must map names that are not empty to masks, got {refine!r:.100}")
    for name, mask in refine.items():
        check_mask(mask, checkpoints, f"refine[{name!r}]")


def check_key(key: Any) -> None:
    dtype = getattr(key, "dtype", None)
    if dtype is None or not (jnp.issubdtype(dtype, jax.dtypes.prng_key) and key.shape == ()):
        raise ValueError(f"key: must be a single key, as jax.random.key(0) makes one, got {key!r:.100}")


def check_loss(loss: Callable[..., Any], checkpoints: Any, data: Any, batch: int) -> None:
    """Check that the loss returns one floating-point number per example, or a scalar where there is no data."""
    parameters = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf)[1:], jnp.result_type(leaf)), checkpoints)
    examples = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((batch, *np.shape(leaf)[1:]), jnp.result_type(leaf)), data)
    try:
        result = jax.eval_shape(loss, parameters, examples)
    except Exception as fault:
        raise ValueError(
            f"loss or checkpoints: loss raised {type(fault).__name__} ({fault!s:.300}) on the parameters of one checkpoint, "
            f"{leaf_shapes(parameters)}, and a batch, {leaf_shapes(examples)}; every leaf of checkpoints must be stacked along "
            f"a leading axis of checkpoints, K = {np.shape(jax.tree.leaves(checkpoints)[0])[0]} here"
        ) from fault
    expected = () if data is None else (batch,)
    if getattr(result, "shape", None) != expected:
        what = "a scalar, since data is None" if data is None else f"shape {expected}, one value per example"
        raise ValueError(f"loss: must return {what}; it returned {getattr(result, 'shape', type(result).__name__)}")
    if not jnp.issubdtype(result.dtype, jnp.floating):
        raise ValueError(f"loss: must return floating-point values, it returned {result.dtype}")


def check_baseline(baseline: Any, labels: Any) -> None:
    """Check that the loss at w* is finite."""
    lost = np.unique(np.asarray(labels)[~np.isfinite(np.asarray(baseline, np.float32))])
    if lost.size:
        raise ValueError(f"checkpoints: the loss is not finite at w* itself, at steps {lost.tolist()}")


def check_counts(**counts: tuple[int, int]) -> None:
    """Check that each argument, given as (value, smallest), is an integer of at least the smallest."""
    for name, (value, smallest) in counts.items():
        check_integer(name, value)
        if value < smallest:
            raise ValueError(f"{name}: must be at least {smallest}, got {value}")


def check_integer(name: str, value: Any) -> None:
    if not isinstance(value, int | np.integer):
        raise ValueError(f"{name}: must be an integer, got {value!r}")


def check_number(name: str, value: Any) -> None:
    if not isinstance(value, int | float | np.number | jax.Array) or np.ndim(value) or isinstance(value, bool):
        raise ValueError(f"{name}: must be a number, got {value!r:.100}")


def check_choice(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}: must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def check_sampler(sampler: Any) -> None:
    if isinstance(sampler, type) or not all(hasattr(sampler, name) for name in ("check", "init", "step")):
        raise ValueError(f"sampler: must be a sampler such as ontogeny.SGLD(step_size=1e-4), got {sampler!r:.100}")
