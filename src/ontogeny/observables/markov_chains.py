"""How far a network is from the exact predictors of Markov chains, and its heads' attention (Edelman et al. 2024).

The divergences are KL(predictor ‖ network) in nats, averaged over chains and positions. That from the bigram predictor, the Bayes
posterior predictive, is the network's expected loss beyond the smallest one.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ontogeny.arrays.parts import mean_in_parts
from ontogeny.observables.attention import Patterns, Scores, over_windows, per_head, previous_token
from ontogeny.problem.divergences import kullback_leibler
from ontogeny.problem.needs import Needs
from ontogeny.problem.network import Network
from ontogeny.problem.problem import ObservableFunction, Params, Task

NEEDS = Needs(provides=("predictors",), shape=("vocabulary", "context"))
HEADS = "attention_patterns"


def build(network: Network, task: Task) -> Mapping[str, ObservableFunction]:
    """Return the divergence from each predictor, `gap_to_bayes`, and scores of heads where the network shows its attention.

    `gap_to_bayes` is the divergence from the bigram predictor over that of the unigram predictor: 1 for a network that predicts
    unigrams, 0 for the Bayes posterior predictive.
    """
    chains = task.data.evaluation[0]
    logs = {name: jnp.log(predict(chains)) for name, predict in task.provides["predictors"].items()}
    unit = kullback_leibler(logs["unigram"], logs["bigram"]).mean()

    def divergence(name: str, unit: Float[Array, ""] | float = 1.0) -> ObservableFunction:
        def measure(params: Params) -> Float[Array, ""]:
            rows = (chains, logs[name])
            return mean_in_parts(
                lambda rows: network.apply(params, rows[0]), lambda logits, rows: kullback_leibler(logits, rows[1]), rows
            ) / jnp.asarray(unit)

        return measure

    def scores(measure) -> ObservableFunction:
        def show(params: Params):
            return lambda chains: network.apply(params, chains, method=HEADS)

        return lambda params: per_head(mean_in_parts(show(params), measure, chains))

    measured = {f"divergence_from_{name}": divergence(name) for name in logs}
    measured["gap_to_bayes"] = divergence("bigram", unit)
    if HEADS in network.exposes:
        measured |= {"previous_token_score": scores(previous_token), "statistical_induction_score": scores(statistical_induction)}
    return measured


def statistical_induction(patterns: Patterns, chains: Int[Array, "batch time"]) -> Scores:
    """Return the mean attention from a symbol to the symbols that followed its earlier copies, where there are such."""
    followers = follows_a_copy(chains)
    attended = jnp.einsum("lbhts,bts->lbh", patterns, followers.astype(patterns.dtype))
    return over_windows(attended / jnp.maximum(followers.any(-1).sum(-1, dtype=attended.dtype), 1)[None, :, None])


def follows_a_copy(chains: Int[Array, "batch time"]) -> Bool[Array, "batch time time"]:
    """Return [b, t, s]: whether 1 ≤ s ≤ t and the symbol before s equals the symbol at t."""
    position = jnp.arange(chains.shape[1])
    before = jnp.roll(chains, 1, axis=1)
    read = (position[None, :] >= 1) & (position[None, :] <= position[:, None])
    return (chains[:, :, None] == before[:, None, :]) & read[None]
