"""The cards of tasks and models agree with what their modules make."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from ontogeny import config
from ontogeny.config.cards import ModelSection, TaskSection
from ontogeny.config.kinds import cards_in
from ontogeny.errors import SpecificationError
from ontogeny.problem.build import build_problem
from ontogeny.problem.network import parameter_shapes

PAIRS = [
    (
        config.SparseFeatures(kind="sparse_features", features=5, examples=10),
        config.Superposition(kind="superposition", hidden=3),
    ),
    (config.LinearTeacher(kind="linear_teacher", inputs=7, outputs=6, examples=10), config.Linear(kind="linear", hidden=[4, 3])),
    (
        config.PolynomialTask(kind="polynomial", coefficients=[0, 1, 0]),
        config.PolynomialModel(kind="polynomial", exponents=[[1], [1, 2], [3]]),
    ),
    (
        config.LinearBlocksTask(kind="linear_blocks", sizes=[3, 1, 4]),
        config.LinearBlocksModel(kind="linear_blocks"),
    ),
    (config.ModularAddition(kind="modular_addition", modulus=5), config.MLP(kind="mlp", width=3, hidden=4)),
    (
        config.ModularAddition(kind="modular_addition", modulus=5, labels="random"),
        config.PairTransformer(kind="pair_transformer", heads=2, width=4, mlp=3),
    ),
    (
        config.Text(kind="text", corpus="corpus.txt", tokenizer="byte", context=8, examples=4, evaluation=4),
        config.Transformer(kind="transformer", width=8, mlp=12),
    ),
    (
        config.MarkovChains(kind="markov_chains", symbols=4, context=8, examples=4, evaluation=4),
        config.Transformer(kind="transformer", width=8),
    ),
]
REGRESSION = (
    config.InContextRegression(kind="in_context_regression", dimensions=3, pairs=5, examples=4, evaluation=4),
    config.Transformer(kind="transformer", width=8, mlp=12),
)


@pytest.mark.parametrize(("task", "model"), [*PAIRS, REGRESSION])
def test_a_card_knows_the_shape_of_its_task_and_the_parameters_of_its_model(task, model, tmp_path: Path):
    (tmp_path / "corpus.txt").write_text("to be or not to be " * 4000)
    problem = build_problem(task, model, base=tmp_path)
    model.check_shape(task.shape)
    assert problem.shape == task.shape
    sizes = [int(np.prod(array.shape)) for array in parameter_shapes(problem).values()]
    assert model.parameters(task.shape) == sum(sizes)


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_a_model_that_does_not_fit_its_task_is_refused(task, model):
    words = f"model {model.kind} needs a task with {', '.join(sorted(model.needs))}; this task has "
    with pytest.raises(SpecificationError, match=f"{words}no shape"):
        model.check_shape({})
    other = next(other for other, _ in PAIRS if model.needs - other.shape.keys())
    with pytest.raises(SpecificationError, match=words + ", ".join(other.shape)):
        model.check_shape(other.shape)


@pytest.mark.parametrize(("room", "base"), [("tasks", TaskSection), ("models", ModelSection)])
def test_the_kind_of_a_card_is_the_name_of_its_module(room, base):
    cards = cards_in(room, base)
    assert {kind: get_args(card.model_fields["kind"].annotation) for kind, card in cards.items()} == {
        kind: (kind,) for kind in cards
    }
    assert all(Path("src/ontogeny", room, f"{kind}.py").exists() for kind in cards)
