"""Addition modulo p from part of the table, which networks first memorise and then generalise (Power et al. 2022)."""

from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from ontogeny.config.tasks.modular_addition import ModularAddition as Config
from ontogeny.problem.divergences import kullback_leibler
from ontogeny.problem.problem import Batch, Data, Task
from ontogeny.tasks.epochs import shuffled_indices


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task: a share of all p² pairs, drawn from `config.seed`; all other pairs are for evaluation.

    Raises:
        SpecificationError: the batch is larger than the data set.
    """
    train, evaluation = pairs(config)
    indices = shuffled_indices(config.examples, batch_size)
    return Task(
        data=Data(
            train=lambda key, step: jax.tree.map(lambda leaf: leaf[indices(key, step)], train),
            sampling=train,
            evaluation=evaluation,
        ),
        output_loss=cross_entropy,
        divergence=kullback_leibler,
        shape={"numbers": config.modulus, "classes": config.modulus},
        is_log_likelihood=True,
        provides={"accuracy": accuracy},
    )


def pairs(config: Config) -> tuple[Batch, Batch]:
    """Return the pairs (a, b) and their labels in random order: the examples to learn from, and the held-out ones."""
    order = jax.random.permutation(jax.random.key(config.seed), config.modulus**2)
    table = jnp.stack(jnp.divmod(order, config.modulus), axis=-1)
    labels = table.sum(-1) % config.modulus
    if config.labels == "random":
        key = jax.random.fold_in(jax.random.key(config.seed), 1)
        labels = jax.random.randint(key, labels.shape, 0, config.modulus)
    count = config.examples
    return (table[:count], labels[:count]), (table[count:], labels[count:])


def cross_entropy(logits: Float[Array, "batch classes"], targets: Int[Array, " batch"]) -> Float[Array, " batch"]:
    """Return minus the log likelihood, in nats."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets)


def accuracy(logits: Float[Array, "batch classes"], targets: Int[Array, " batch"]) -> Float[Array, " batch"]:
    """Return 1 where the likeliest class is the right one, else 0."""
    return (logits.argmax(-1) == targets).astype(jnp.float32)
