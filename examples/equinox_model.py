"""Estimate the local learning coefficient along the training of your own Equinox model.

Run it with `uv run --with equinox python examples/equinox_model.py`. ontogeny needs only a loss and arrays: split the model with
`eqx.partition`, and hand over the part that holds arrays.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import ontogeny

STEPS, EVERY = 400, 80


def make_data(key, n=500):
    """Return n points on a line, and their sines with noise."""
    inputs_key, noise_key = jax.random.split(key)
    inputs = jax.random.uniform(inputs_key, (n, 1), minval=-3.0, maxval=3.0)
    return inputs, jnp.sin(inputs[:, 0]) + 0.1 * jax.random.normal(noise_key, (n,))


def main(most_draws: int = 4_000) -> ontogeny.Estimate:
    """Train, estimate with chains of at most `most_draws`, print."""
    model = eqx.nn.MLP(in_size=1, out_size="scalar", width_size=8, depth=1, activation=jnp.tanh, key=jax.random.key(0))
    params, static = eqx.partition(model, eqx.is_inexact_array)
    data = make_data(jax.random.key(1))

    def loss(params, batch):
        """Return the loss of each example, shape [batch]."""
        inputs, targets = batch
        return 0.5 * (jax.vmap(eqx.combine(params, static))(inputs) - targets) ** 2

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
