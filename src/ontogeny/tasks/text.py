"""Prediction of the next token of a text, in windows of which a share repeats itself.

A window has `context` + 1 tokens, so that each of `context` inputs has a target. With probability `repeat`, its second half is
its first half, rotated by a random shift. To predict such a half, a network must copy what followed an earlier copy of the
current token; attention to a fixed number of tokens back does not suffice. Such windows are not the original text.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from ontogeny.config.tasks.text import Text as Config
from ontogeny.errors import SpecificationError
from ontogeny.problem.divergences import kullback_leibler
from ontogeny.problem.problem import Batch, Data, RandomKey, Task
from ontogeny.tasks.corpora import documents
from ontogeny.tasks.tokenizing import Stream, tokenize

LARGEST_BIGRAM_TABLE = 8192
"""The largest vocabulary with a table of bigrams, which takes 256 MB at this size."""

Windows = Int[Array, "windows window"]


def build(config: Config, *, batch_size: int, base: Path) -> Task:
    """Return the task. Training draws independent windows at every step; the windows for sampling come from `config.seed`.

    Raises:
        SpecificationError: the corpus cannot be read, or is too short for one window in each of its two parts.
    """
    tokens = tokenize(
        documents(config.corpus, base),
        tokenizer=config.tokenizer,
        vocabulary=config.vocabulary,
        lowercase=config.lowercase,
        learnt_on=documents(config.tokenizer_corpus, base) if config.tokenizer_corpus else None,
    )
    shortest = min(len(tokens.train), len(tokens.held_out))
    if shortest <= config.context + 1:
        raise SpecificationError(
            f"task.corpus {config.corpus!r} is too short: {shortest} tokens in a part, context {config.context}"
        )
    train = jnp.asarray(tokens.train)
    fixed = fixed_windows(train, jnp.asarray(tokens.held_out), config)
    provides = {name: fixed[name] for name in ("plain_windows", "repeated_windows")} | {"token_texts": tokens.texts}
    if tokens.vocabulary <= LARGEST_BIGRAM_TABLE:
        provides["bigram"] = bigram(tokens.train, tokens.vocabulary)
    return Task(
        data=Data(
            train=lambda key, step: shifted(
                draw(train, jax.random.fold_in(key, step), batch_size, context=config.context, share=config.repeat)
            ),
            sampling=shifted(fixed["sampling"]),
            evaluation=shifted(fixed["evaluation"]),
        ),
        divergence=kullback_leibler,
        output_loss=lambda logits, targets: token_losses(logits, targets).mean(-1),
        is_log_likelihood=True,
        averages_over=config.context,
        shape={"vocabulary": tokens.vocabulary, "context": config.context},
        provides=provides,
    )


@partial(jax.jit, static_argnums=2)
def fixed_windows(train: Int[Array, " tokens"], held_out: Int[Array, " other"], config: Config) -> dict[str, Windows]:
    """Return the windows that stay the same during training. One program makes all, since compilation takes most of the time."""
    keys = jax.random.split(jax.random.key(config.seed), 4)
    from_held_out = partial(draw, held_out, count=config.evaluation, context=config.context)
    return {
        "sampling": draw(train, keys[0], config.examples, context=config.context, share=config.repeat),
        "evaluation": from_held_out(keys[1], share=config.repeat),
        "plain_windows": from_held_out(keys[2], share=0.0),
        "repeated_windows": from_held_out(keys[3], share=1.0),
    }


def draw(stream: Int[Array, " tokens"], key: RandomKey, count: int, *, context: int, share: float) -> Windows:
    """Return `count` windows from uniform positions; each is made to repeat itself with probability `share`."""
    start_key, shift_key, repeat_key = jax.random.split(key, 3)
    start = jax.random.randint(start_key, (count, 1), 0, len(stream) - context)
    plain = stream[start + jnp.arange(context + 1)[None]]
    chosen = jax.random.bernoulli(repeat_key, share, (count, 1))
    return jnp.where(chosen, repeat(plain, shift_key), plain)


def repeat(plain: Windows, key: RandomKey) -> Windows:
    """Return windows whose second half is the first half, rotated by a random shift."""
    half = plain.shape[1] // 2
    shift = jax.random.randint(key, (len(plain), 1), 0, half)
    again = jnp.take_along_axis(plain, (shift + jnp.arange(plain.shape[1] - half)[None]) % half, axis=1)
    return jnp.concatenate([plain[:, :half], again], axis=1)


def shifted(tokens: Windows) -> Batch:
    """Return all tokens but the last as inputs, and the token after each as its target."""
    return tokens[:, :-1], tokens[:, 1:]


def token_losses(
    logits: Float[Array, "batch context vocabulary"], targets: Int[Array, "batch context"]
) -> Float[Array, "batch context"]:
    """Return the cross-entropy of each next token, in nats."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets)


def bigram(stream: Stream, vocabulary: int) -> Float[Array, "vocabulary vocabulary"]:
    """Return the frequency of each token (column) among the tokens that follow each token (row).

    The token frequencies, worth one count, are added to every row; this matters for tokens that hardly occur.
    """
    pairs = np.bincount(stream[:-1] * vocabulary + stream[1:], minlength=vocabulary**2).reshape(vocabulary, vocabulary)
    frequency = np.bincount(stream, minlength=vocabulary) / len(stream)
    smoothed = pairs + frequency
    return jnp.asarray(smoothed / smoothed.sum(1, keepdims=True), jnp.float32)
