"""Runs of the detection limit: one block of a chosen size is learnt at a known time, above a background that relaxes smoothly.

The network is `linear_blocks`. The first block is the target; BACKGROUND further blocks of size 3 start at half of their targets
and grow to them at rates over 1.75 decades. The loss therefore falls all along, and λ of the background stays 20. The target
starts from small weights. Its weight in the loss is drawn for each seed, log-uniform over the same 1.75 decades: it sets when
the block is learnt, and how much the loss falls then. In a null run its weight is 0: it is never learnt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import ontogeny
from ontogeny import config
from ontogeny.estimates.llc import Estimate
from ontogeny.observables.linear_blocks import block_losses
from ontogeny.problem.behavioural import MOVING, REFERENCE, moving_mask, with_reference
from ontogeny.problem.build import build_model, build_task
from ontogeny.problem.network import Network, functional
from ontogeny.problem.problem import Task
from ontogeny.theory import linear_blocks
from ontogeny.trajectory import tidy_observables

BACKGROUND, BACKGROUND_SIZE, BACKGROUND_START = 8, 3, 0.2
DECADES = 1.75
LEARNING_RATE, LAST_STEP, CHECKPOINTS = 0.1, 3000, 48
STEPS = np.unique(np.geomspace(4, LAST_STEP, CHECKPOINTS).round().astype(int))
N_BETA, GAMMA, CHAINS, STEP_SIZE = 1000.0, 10.0, 8, 1e-4
FRICTION = 2 * (STEP_SIZE * GAMMA / 2) ** 0.5
"""The flattest direction is damped critically, as `friction: auto` does."""


@dataclass(frozen=True)
class Run:
    """A trained run.

    Attributes:
        params: at STEPS, every leaf [K, ...].
        losses: the loss of each block at STEPS, [K, blocks].
        weights: of the blocks in training; that of the target is 0 in a null run.
    """

    size: int
    seed: int
    params: dict[str, np.ndarray]
    losses: np.ndarray
    weights: np.ndarray

    @property
    def is_null(self) -> bool:
        return bool(self.weights[0] == 0)


@cache
def network_and_task(size: int) -> tuple[Network, Task]:
    """Return the network with a target of this size, and its task with uniform weights."""
    task = config.LinearBlocksTask(kind="linear_blocks", sizes=[size, *[BACKGROUND_SIZE] * BACKGROUND], decades=DECADES)
    model = config.LinearBlocksModel(kind="linear_blocks", start=[None, *[BACKGROUND_START] * BACKGROUND])
    built = build_task(task, 1, Path())
    return functional(build_model(model, built.shape, Path())), built


def weights_of(seed: int, null: bool) -> np.ndarray:
    """Return the weight of each block: of the target drawn by the seed, of the background geometric with mean 1."""
    background = np.logspace(0, -DECADES, BACKGROUND)
    background /= background.mean()
    drawn = background[0] * 10 ** -(DECADES * np.random.default_rng(seed).uniform())
    return np.array([0.0 if null else drawn, *background])


def train(size: int, seeds: Sequence[int], null: bool) -> list[Run]:
    """Train all seeds side by side, by gradient descent on Σ_i w_i ½ |M_i - e_1 e_1ᵀ|²."""
    network, _ = network_and_task(size)
    weights = np.array([weights_of(seed, null) for seed in seeds])
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds))
    params, losses = jax.device_get(descend(size, jax.vmap(network.init)(keys), jnp.asarray(weights, float)))
    return [
        Run(size, seed, {name: leaf[place] for name, leaf in params.items()}, losses[place], weights[place])
        for place, seed in enumerate(seeds)
    ]


@partial(jax.jit, static_argnums=0)
def descend(size: int, start: dict[str, jax.Array], weights: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
    """Return the parameters and the losses of the blocks at STEPS, each with a leading axis of runs."""
    network, _ = network_and_task(size)

    def one(params, own):
        gradient = jax.grad(lambda params: own @ block_losses(network, params))

        def step(params, _):
            params = jax.tree.map(lambda leaf, slope: leaf - LEARNING_RATE * slope, params, gradient(params))
            return params, params

        path = jax.lax.scan(step, params, None, LAST_STEP)[1]
        kept = jax.tree.map(lambda leaf: leaf[STEPS - 1], path)
        return kept, jax.vmap(partial(block_losses, network))(kept)

    return jax.vmap(one)(start, weights)


def estimate(run: Run, draws: int, *, uniform: bool = True) -> Estimate:
    """Return the behavioural λ̂ at STEPS, with as many draws of burn-in as are kept.

    Args:
        draws: kept of each chain.
        uniform: whether the local posterior weighs all blocks alike, or as training does.
    """
    weights = np.ones(len(run.weights)) if uniform else run.weights
    still = {"weights": np.broadcast_to(weights, (len(STEPS), len(weights))).astype(np.float32)}
    mask = moving_mask(run.params) | {"weights": np.zeros(len(weights))}
    drawn = ontogeny.sample(
        potential(run.size),
        with_reference(run.params) | still,
        mask=mask,
        key=jax.random.fold_in(jax.random.key(run.seed), 1 + draws),
        sampler=ontogeny.SGHMC(step_size=STEP_SIZE, friction=FRICTION),
        inverse_temperature=N_BETA,
        localization=GAMMA,
        chains=CHAINS,
        draws=draws,
        burn_in=draws,
        steps=STEPS.tolist(),
    )
    return ontogeny.summarise(drawn)


@cache
def potential(size: int) -> Callable[[dict[str, Any], None], jax.Array]:
    """Return Σ_i w_i ½ |b aᵀ - b* a*ᵀ|² of `with_reference` parameters, with the squares multiplied out.

    It is the behavioural loss of the task, in less time: no example is looked at.
    """
    sizes = [size, *[BACKGROUND_SIZE] * BACKGROUND]
    own = np.repeat(np.eye(len(sizes)), sizes, axis=0).astype(np.float32)

    def loss(params: dict[str, Any], _: None) -> jax.Array:
        moving, reference = params[MOVING], params[REFERENCE]
        products = {
            name: [(moving[name] * other[name]) @ own for other in (moving, reference)] + [reference[name] ** 2 @ own]
            for name in ("inward", "outward")
        }
        squared, crossed, still = (a * b for a, b in zip(products["inward"], products["outward"], strict=True))
        return params["weights"] @ (squared - 2 * crossed + still) / 2

    return loss


def behaviour(run: Run) -> pd.DataFrame:
    """Return the rows of `loss`, exact and on the weights of training, and `block_loss` of the target."""
    return tidy_observables(STEPS.tolist(), {"loss": run.losses @ run.weights, "block_loss": run.losses[:, 0]})


def exact_curve(run: Run, weight: float = 1.0) -> np.ndarray:
    """Return E λ̂ of the target alone at STEPS, at nβ and γ, by quadrature; the local posterior gives it this weight."""
    a, b = (np.linalg.norm(run.params[name][:, : run.size], axis=1) for name in ("inward", "outward"))
    blocks = [linear_blocks.Block(run.size, *each) for each in zip(a.tolist(), b.tolist(), strict=True)]
    return np.array([linear_blocks.expected_llc(block, weight * N_BETA, GAMMA, points=100) for block in blocks])


def halfway(values: np.ndarray) -> float:
    """Return the step at which a curve has gone half of the way from its first to its last value, between checkpoints in log."""
    share = (values - values[0]) / (values[-1] - values[0])
    after = int(np.argmax(share >= 0.5))
    part = (0.5 - share[after - 1]) / (share[after] - share[after - 1])
    return float(np.exp(np.log(STEPS[after - 1]) + part * np.log(STEPS[after] / STEPS[after - 1])))
