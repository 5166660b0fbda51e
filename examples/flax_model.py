"""Estimate the local learning coefficient along the training of your own Flax model.

Run it with `uv run python examples/flax_model.py`. It trains a small network, keeps a few checkpoints, and prints λ̂ at each.
"""

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import ontogeny

STEPS, EVERY = 400, 80


class Net(nnx.Module):
    """A network of one hidden layer."""

    def __init__(self, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(2, 8, rngs=rngs)
        self.output = nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, inputs):
        return self.output(jnp.tanh(self.hidden(inputs)))[:, 0]


def make_data(key, n=500):
    """Return n points in the plane, and the product of their coordinates with noise."""
    inputs_key, noise_key = jax.random.split(key)
    inputs = jax.random.normal(inputs_key, (n, 2))
    return inputs, inputs[:, 0] * inputs[:, 1] + 0.1 * jax.random.normal(noise_key, (n,))


def main(most_draws: int = 4_000) -> ontogeny.Estimate:
    """Train, estimate with chains of at most `most_draws`, print."""
    graph, params = nnx.split(Net(nnx.Rngs(0)), nnx.Param)
    data = make_data(jax.random.key(1))

    def loss(params, batch):
        """Return the loss of each example, shape [batch]."""
        inputs, targets = batch
        return 0.5 * (nnx.merge(graph, params)(inputs) - targets) ** 2

    optimizer = optax.adam(0.02)

    @jax.jit
    def train_step(params, state):
        gradient = jax.grad(lambda params: loss(params, data).mean())(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state

    state, kept = optimizer.init(params), [params]
    for step in range(1, STEPS + 1):
        params, state = train_step(params, state)
        if step % EVERY == 0:
            kept.append(params)

    # Every leaf of the checkpoints has a leading axis: one entry for each checkpoint.
    checkpoints = jax.tree.map(lambda *leaves: jnp.stack(leaves), *kept)
    estimate = ontogeny.estimate_llc(
        loss,
        checkpoints,
        data,
        key=jax.random.key(2),
        localization=10.0,
        most_draws=most_draws,
        steps=range(0, STEPS + 1, EVERY),
    )
    print(estimate)
    return estimate


if __name__ == "__main__":
    main()
