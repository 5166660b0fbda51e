"""The JAX programs of `benchmarks.speed`: ours, BlackJAX's kernel in a scan, and a straightforward program."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.speed_workloads import WORKLOADS, Workload

Loss = Callable[[Any, Any], Any]
Program = Callable[[Any, Any, Any], Any]


def loss_of(name: str) -> Loss:
    """(parameters, batch) -> the loss of every example; a batch is a mapping."""
    shape = WORKLOADS[name].shape
    if "vocabulary" in shape:
        return transformer(shape)
    return {"tms": examples_last, "tms, examples first": examples_first, "dln": linear_network}[name]


def examples_first(parameters: Any, batch: Any) -> Any:
    """Squared error of ReLU(Wᵀ W x + b), summed over coordinates."""
    weight, bias, x = parameters["weight"], parameters["bias"], batch["x"]
    return ((jax.nn.relu(x @ weight.T @ weight + bias) - x) ** 2).sum(axis=-1)


def examples_last(parameters: Any, batch: Any) -> Any:
    """The same numbers with the batch on the minor axis."""
    weight, columns = parameters["weight"], batch["x"].T
    return ((jax.nn.relu(weight.T @ (weight @ columns) + parameters["bias"][:, None]) - columns) ** 2).sum(axis=0)


def linear_network(parameters: Any, batch: Any) -> Any:
    outputs = batch["x"]
    for name in sorted(parameters):
        outputs = outputs @ parameters[name]
    return ((outputs - batch["y"]) ** 2).sum(axis=-1)


def transformer(shape: dict[str, int]) -> Loss:
    """Of a window: the mean loss of its tokens, under ontogeny's own model."""
    from ontogeny import config
    from ontogeny.models.transformer import build
    from ontogeny.problem.network import functional
    from ontogeny.tasks.text import token_losses

    section = config.Transformer(kind="transformer", layers=shape["layers"], heads=shape["heads"], width=shape["width"], mlp=0)
    network = functional(build(section, shape))

    def loss(parameters: Any, batch: Any) -> Any:
        tokens = batch["tokens"]
        return token_losses(network.apply(parameters, tokens[:, :-1]), tokens[:, 1:]).mean(-1)

    return loss


def settings(work: Workload) -> dict[str, Any]:
    """What a workload fixes of `ontogeny.sample` and `estimate_llc`, less the counts of draws."""
    import ontogeny

    return {
        "sampler": ontogeny.SGLD(step_size=work.step_size),
        "inverse_temperature": work.inverse_temperature,
        "localization": work.localization,
        "chains": work.chains,
        "batch_size": work.batch_size,
    }


def ontogeny(loss: Loss, work: Workload) -> Program:
    """`estimate_llc`, errors and diagnostics included."""
    import ontogeny

    def estimate(checkpoints: Any, data: Any, key: Any) -> Any:
        return ontogeny.estimate_llc(
            loss,
            checkpoints,
            data,
            key=key,
            draws=work.draws,
            burn_in=work.burn_in,
            **settings(work),
        ).mean

    return estimate


def over_checkpoints(work: Workload, chains: Callable[[Any, Any, Any], Any]) -> Program:
    """A program of all checkpoints out of the traces of one: λ̂ without burn-in."""
    program = jax.jit(lambda checkpoints, data, key: jax.lax.map(lambda center: chains(center, data, key), checkpoints))

    def estimate(checkpoints: Any, data: Any, key: Any) -> Any:
        return work.inverse_temperature * program(checkpoints, data, key)[..., work.burn_in :].mean(axis=(1, 2))

    return estimate


def straightforward(loss: Loss, work: Workload) -> Program:
    """Scan over draws, vmap over chains, lax.map over checkpoints; a pytree of parameters; paired baselines."""

    def at_checkpoint(center: Any, data: Any, key: Any) -> Any:
        baselines = loss(center, data)

        def step(parameters: Any, key: Any) -> Any:
            batch_key, noise_key = jax.random.split(key)
            indices = jax.random.randint(batch_key, (work.batch_size,), 0, work.n)
            batch = jax.tree.map(lambda leaf: leaf[indices], data)
            value, gradient = jax.value_and_grad(lambda parameters: loss(parameters, batch).mean())(parameters)
            keys = dict(zip(parameters, jax.random.split(noise_key, len(parameters)), strict=True))
            moved = {
                name: leaf
                - work.step_size / 2 * (work.inverse_temperature * gradient[name] + work.localization * (leaf - center[name]))
                + jnp.sqrt(work.step_size) * jax.random.normal(keys[name], leaf.shape)
                for name, leaf in parameters.items()
            }
            return moved, value - baselines[indices].mean()

        def chain(key: Any) -> Any:
            return jax.lax.scan(step, center, jax.random.split(key, work.burn_in + work.draws))[1]

        return jax.vmap(chain)(jax.random.split(key, work.chains))

    return over_checkpoints(work, at_checkpoint)


def blackjax(loss: Loss, work: Workload) -> Program:
    """`blackjax.sgld` in a scan, chains by vmap; its step size is the coefficient of the drift, ε/2."""
    import blackjax

    def at_checkpoint(center: Any, data: Any, key: Any) -> Any:
        baselines = loss(center, data)

        def log_density(parameters: Any, indices: Any) -> Any:
            batch = jax.tree.map(lambda leaf: leaf[indices], data)
            value = loss(parameters, batch).mean()
            away = sum(jnp.sum((parameters[name] - center[name]) ** 2) for name in parameters)
            return -work.inverse_temperature * value - work.localization / 2 * away, value - baselines[indices].mean()

        def chain(key: Any) -> Any:
            def step(parameters: Any, key: Any) -> Any:
                batch_key, noise_key = jax.random.split(key)
                indices = jax.random.randint(batch_key, (work.batch_size,), 0, work.n)
                # One pass serves the kernel and the trace, as in the other programs.
                gradient, value = jax.grad(log_density, has_aux=True)(parameters, indices)
                kernel: Any = blackjax.sgld(lambda parameters, gradient: gradient)
                return kernel.step(noise_key, parameters, gradient, work.step_size / 2), value

            return jax.lax.scan(step, center, jax.random.split(key, work.burn_in + work.draws))[1]

        return jax.vmap(chain)(jax.random.split(key, work.chains))

    return over_checkpoints(work, at_checkpoint)


PROGRAMS: dict[str, Callable[[Loss, Workload], Program]] = {
    "ontogeny": ontogeny,
    "straightforward": straightforward,
    "blackjax": blackjax,
}


def ceiling() -> float:
    """FLOPs a second of a product of two 1024 × 1024 matrices in single precision."""
    import time

    def product(matrix: Any) -> Any:
        return matrix @ matrix / 32

    program = jax.jit(lambda matrix: jax.lax.fori_loop(0, 20, lambda _, matrix: product(matrix), matrix))
    matrix = jax.random.normal(jax.random.key(0), (1024, 1024))
    program(matrix).block_until_ready()
    seconds = []
    for _ in range(3):
        start = time.process_time()
        program(matrix).block_until_ready()
        seconds.append(time.process_time() - start)
    return 20 * 2 * 1024**3 / min(seconds)
