"""The card of every kind names what its module measures."""

from pathlib import Path

from ontogeny.config import (
    MLP,
    InContextRegression,
    Linear,
    LinearBlocksModel,
    LinearBlocksTask,
    LinearTeacher,
    MarkovChains,
    ModularAddition,
    PolynomialModel,
    PolynomialTask,
    SparseFeatures,
    SparsePoints,
    Superposition,
    Text,
    Transformer,
)
from ontogeny.config.observables import built_in_cards, labels_on
from ontogeny.problem.build import build_problem


def test_every_observable_has_a_label_and_every_label_an_observable(tmp_path: Path):
    (tmp_path / "corpus.txt").write_text("to be or not to be " * 4000)
    text = Text(kind="text", corpus="corpus.txt", tokenizer="byte", context=8, examples=4, evaluation=4)
    chains = MarkovChains(kind="markov_chains", context=8, examples=4, evaluation=4)
    regression = InContextRegression(kind="in_context_regression", diversity=2, examples=4, evaluation=4)
    families = [
        (text, Transformer(kind="transformer", width=8)),
        (chains, Transformer(kind="transformer", width=8)),
        (regression, Transformer(kind="transformer", width=8)),
        (SparseFeatures(kind="sparse_features", examples=10), Superposition(kind="superposition")),
        (SparsePoints(kind="sparse_points", points=5, examples=10, evaluation=4), Superposition(kind="superposition")),
        (LinearTeacher(kind="linear_teacher", examples=10), Linear(kind="linear")),
        (LinearBlocksTask(kind="linear_blocks"), LinearBlocksModel(kind="linear_blocks")),
        (PolynomialTask(kind="polynomial"), PolynomialModel(kind="polynomial")),
        (ModularAddition(kind="modular_addition", modulus=5), MLP(kind="mlp")),
    ]
    problems = [build_problem(task, model, base=tmp_path, observables=None) for task, model in families]
    assert {name for problem in problems for name in problem.observables} == labels_on(built_in_cards()).keys()
