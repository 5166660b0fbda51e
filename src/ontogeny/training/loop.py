"""The compiled training loop: one program advances the seeds of a block from checkpoint to checkpoint.

A run is a function of its specification and seed. The key of a seed is `jax.random.key(seed)`; folding in 0 gives the key
of the initialisation, folding in 1 the key of training. A task draws the batch of a step from that key and the step alone.
So a run can be stopped and resumed at any checkpoint, and cut into pieces of any size, with the same numbers.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from ontogeny.arrays.memory import choose_microbatch
from ontogeny.arrays.parts import summed
from ontogeny.problem.keys import INITIALISE, seed_keys
from ontogeny.problem.problem import Params, Problem


class State(NamedTuple):
    """Parameters and the optimiser's state of each seed; every leaf has a leading axis of seeds."""

    params: Params
    optimizer: Any


class Piece(NamedTuple):
    """What training leaves at C consecutive checkpoints of S seeds."""

    params: Params  # every leaf [S, C, ...]
    loss: Float[Array, "seeds checkpoints"]  # mean minibatch loss since the checkpoint before; NaN where no step lies between
    gradient_norm: Float[Array, "seeds checkpoints"]  # at the last step before the checkpoint, before clipping


Advance = Callable[[State, Key[Array, " seeds"], Int[Array, " checkpoints"], Int[Array, " checkpoints"]], tuple[State, Piece]]


def initial_state(problem: Problem, optimizer: optax.GradientTransformation, seeds: Sequence[int]) -> State:
    """Return the state of each seed at step 0."""

    def state_of_seed(key: Key[Array, ""]) -> State:
        params = problem.init(key)
        return State(params, optimizer.init(params))

    return jax.jit(lambda keys: jax.lax.map(state_of_seed, keys))(seed_keys(seeds, INITIALISE))


def compile_training(problem: Problem, optimizer: optax.GradientTransformation, microbatch: int | None = None) -> Advance:
    """Return a program (state, keys, starts, stops) -> (state, piece) that trains from step starts[c] to stops[c] for each c.

    It is compiled once for a number of seeds and checkpoints; the steps are arguments. Seeds are vectorised, since one
    toy model leaves a core idle; a single seed is not, since the extra axis slows down matrix products. Gradients are summed
    over parts of `microbatch` examples of a batch; None takes as many as memory allows.
    """

    def train_step(
        step: Int[Array, ""], carry: tuple[State, Array, Array], key: Key[Array, ""], lanes: int
    ) -> tuple[State, Array, Array]:
        (params, state), total, _ = carry
        batch = problem.data.train(key, step)
        count = jax.tree.leaves(batch)[0].shape[0]
        part_size = microbatch or choose_microbatch(problem.loss, params, batch, count, lanes)

        def share_of_mean(params: Params, part: Any) -> Array:
            losses = problem.loss(params, part)
            if losses.shape != (jax.tree.leaves(part)[0].shape[0],):
                raise ValueError(f"the loss must return one value per example, shape [batch]; it returned {losses.shape}")
            return losses.sum() / count

        of_part = jax.value_and_grad(share_of_mean)
        loss, gradient = summed(lambda part: of_part(params, part), batch, part_size)
        updates, state = optimizer.update(gradient, state, params)
        params = cast(Params, optax.apply_updates(params, updates))
        return State(params, state), total + loss, optax.tree.norm(gradient)

    def one_seed(
        state: State, key: Key[Array, ""], starts: Int[Array, " c"], stops: Int[Array, " c"], lanes: int = 1
    ) -> tuple[State, Piece]:
        def to_checkpoint(state: State, bounds: tuple[Array, Array]) -> tuple[State, Piece]:
            start, stop = bounds
            zero = jnp.zeros(())
            state, total, norm = jax.lax.fori_loop(
                start, stop, lambda step, carry: train_step(step, carry, key, lanes), (state, zero, zero)
            )
            nothing = stop == start
            return state, Piece(
                state.params,
                jnp.where(nothing, jnp.nan, total / (stop - start).astype(total.dtype)),
                jnp.where(nothing, jnp.nan, norm),
            )

        return jax.lax.scan(to_checkpoint, state, (starts, stops))

    @jax.jit
    def advance(state: State, keys: Key[Array, " s"], starts: Int[Array, " c"], stops: Int[Array, " c"]) -> tuple[State, Piece]:
        if keys.shape[0] > 1:
            together = partial(one_seed, lanes=keys.shape[0])
            return jax.vmap(together, in_axes=(0, 0, None, None))(state, keys, starts, stops)
        alone = jax.tree.map(lambda leaf: leaf[0], state)
        return jax.tree.map(lambda leaf: leaf[None], one_seed(alone, keys[0], starts, stops))

    return advance
