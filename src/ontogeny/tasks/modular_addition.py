"""Addition modulo p from part of the table (Power et al. 2022; Nanda et al. 2023): memorised first, then generalised."""

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
    """The task: a share of all p² pairs, drawn once from `config.seed`; all others are for evaluation.

    Raises:
        ValueError: the batch is larger than the data set.
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
    """(a, b) with (a + b) mod p, in random order: those to learn from, those held out."""
    order = jax.random.permutation(jax.random.key(config.seed), config.modulus**2)
    table = jnp.stack(jnp.divmod(order, config.modulus), axis=-1)
    sums = table.sum(-1) % config.modulus
    count = config.examples
    return (table[:count], sums[:count]), (table[count:], sums[count:])


def cross_entropy(logits: Float[Array, "batch classes"], targets: Int[Array, " batch"]) -> Float[Array, " batch"]:
    """In nats: minus the log likelihood."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets)


def accuracy(logits: Float[Array, "batch classes"], targets: Int[Array, " batch"]) -> Float[Array, " batch"]:
    """1 where the likeliest class is the right one."""
    return (logits.argmax(-1) == targets).astype(jnp.float32)
