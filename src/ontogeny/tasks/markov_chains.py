"""Prediction of Markov chains whose transition matrix is known only from the chain itself (Edelman et al. 2024).

Every row of a chain's matrix is drawn from Dirichlet(α, …, α), and its first symbol is uniform. The first symbol therefore says
nothing of the matrix, and the bigram rule is the exact Bayes posterior predictive: no predictor has a smaller expected loss.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from ontogeny.config.tasks.markov_chains import MarkovChains as Config
from ontogeny.problem.divergences import kullback_leibler
from ontogeny.problem.problem import Batch, Data, RandomKey, Task

Symbols = Int[Array, "chains time"]
Probabilities = Float[Array, "chains time symbols"]
"""Of the next symbol, after each symbol of a chain."""


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task. Training draws new chains at every step; the fixed chains come from `config.seed`."""
    sampling, evaluation = drawn_once(config)
    return Task(
        data=Data(
            train=lambda key, step: split(draw(config, jax.random.fold_in(key, step), batch_size)),
            sampling=sampling,
            evaluation=evaluation,
        ),
        output_loss=cross_entropy,
        divergence=kullback_leibler,
        shape=config.shape,
        is_log_likelihood=True,
        averages_over=config.context,
        provides={
            "predictors": {
                name: partial(rule, count=config.symbols, concentration=config.concentration) for name, rule in RULES.items()
            }
        },
    )


@partial(jax.jit, static_argnums=0)
def drawn_once(config: Config) -> tuple[Batch, Batch]:
    """Return the chains that stay the same during training: those of the local posterior, and those for evaluation."""
    key = jax.random.key(config.seed)
    counts = config.examples, config.evaluation
    sampling, evaluation = (split(draw(config, jax.random.fold_in(key, part), count)) for part, count in enumerate(counts))
    return sampling, evaluation


def draw(config: Config, key: RandomKey, count: int) -> Int[Array, "count window"]:
    """Return chains of `context` + 1 symbols, each from a transition matrix of its own."""
    rows_key, first_key, moves_key = jax.random.split(key, 3)
    shape = (count, config.symbols, config.symbols)
    # The usual sampler of Dirichlet rows costs more than the step of a small network that uses them.
    one = config.concentration == 1
    weights = jax.random.exponential(rows_key, shape) if one else jax.random.gamma(rows_key, config.concentration, shape)
    bounds = jnp.cumsum(weights / weights.sum(-1, keepdims=True), axis=-1)[..., :-1]
    first = jax.random.randint(first_key, (count,), 0, config.symbols)

    def move(symbol: Int[Array, " count"], uniform: Float[Array, " count"]) -> tuple[Array, Array]:
        following = (uniform[:, None] > bounds[jnp.arange(count), symbol]).sum(-1, dtype=symbol.dtype)
        return following, following

    moves = jax.lax.scan(move, first, jax.random.uniform(moves_key, (config.context, count)))[1]
    return jnp.concatenate([first[None], moves]).T


def split(chains: Int[Array, "chains window"]) -> Batch:
    """Return all symbols but the last as inputs, and the symbol after each as its target."""
    return chains[:, :-1], chains[:, 1:]


def cross_entropy(logits: Probabilities, targets: Symbols) -> Float[Array, " chains"]:
    """Return the cross-entropy of the next symbol in nats, averaged over the positions of a chain."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean(-1)


def uniform(symbols: Symbols, count: int, concentration: float) -> Probabilities:
    """Return 1 / k: the prediction that uses no context."""
    return jnp.full((*symbols.shape, count), 1 / count)


def unigram(symbols: Symbols, count: int, concentration: float) -> Probabilities:
    """Return (α + c_j) / (k α + t), where c_j of the t symbols read are j: Bayes for independent symbols."""
    counts = jnp.cumsum(jax.nn.one_hot(symbols, count), axis=1) + concentration
    return counts / counts.sum(-1, keepdims=True)


def bigram(symbols: Symbols, count: int, concentration: float) -> Probabilities:
    """Return (α + n_ij) / (k α + n_i), where the last symbol i was followed n_ij times by j: the Bayes posterior predictive."""
    one_hot = jax.nn.one_hot(symbols, count)
    moves = one_hot[:, :-1, :, None] * one_hot[:, 1:, None, :]
    seen = jnp.cumsum(jnp.pad(moves, ((0, 0), (1, 0), (0, 0), (0, 0))), axis=1)
    counts = jnp.einsum("bti,btij->btj", one_hot, seen) + concentration
    return counts / counts.sum(-1, keepdims=True)


RULES = {"uniform": uniform, "unigram": unigram, "bigram": bigram}
"""The exact predictors, by name."""
