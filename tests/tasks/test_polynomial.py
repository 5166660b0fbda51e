"""Polynomials in an orthonormal basis: the mean loss is half the squared distance of the coefficients."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from ontogeny import config
from ontogeny.problem.build import build_problem
from ontogeny.tasks import polynomial

TASK = config.PolynomialTask(kind="polynomial", coefficients=[0.5, 0, -2], examples=7)
EXPONENTS = [[1], [1, 1], [1, 2, 1]]


def test_the_basis_is_orthonormal_on_the_nodes():
    basis = polynomial.orthonormal_basis(5, 5)
    np.testing.assert_allclose(basis.T @ basis / 5, np.eye(5), atol=1e-6)


def test_the_mean_loss_is_half_the_squared_distance_of_the_coefficients():
    problem = build_problem(TASK, config.PolynomialModel(kind="polynomial", exponents=EXPONENTS), base=Path())
    params = {"factors.0": jnp.array([2.0]), "factors.1": jnp.array([3.0, 0.5]), "factors.2": jnp.array([-1.0, 2.0, 0.25])}
    for batch in (problem.data.sampling, problem.data.evaluation):
        loss = problem.loss(params, batch).mean()
        assert float(loss) == pytest.approx(((2 - 0.5) ** 2 + 1.5**2 + (-1 + 2) ** 2) / 2, rel=1e-5)


def test_a_start_has_its_coefficients():
    section = config.PolynomialModel(kind="polynomial", exponents=EXPONENTS, start=[0.5, 0, -2])
    problem = build_problem(TASK, section, base=Path(), observables=["coefficients", "loss"])
    params = problem.init(jax.random.key(0))
    seen = problem.observables["coefficient"](params)
    np.testing.assert_allclose([seen[f"terms.{j}"] for j in range(3)], [0.5, 0, -2], atol=1e-6)
    assert float(problem.observables["loss"](params)) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"start": [0, 0]}, "start has 2 entries; exponents has 3"),
        ({"exponents": [[2]], "start": [-1]}, "an even power is not negative"),
    ],
)
def test_starts_that_cannot_be_are_refused(model, words):
    with pytest.raises(ValidationError, match=words):
        config.PolynomialModel.model_validate({"kind": "polynomial", "exponents": EXPONENTS, **model})


def test_a_model_with_other_terms_than_the_task_is_refused():
    with pytest.raises(ValueError, match=r"model.exponents has 1 entries; task.coefficients has 3"):
        config.PolynomialModel(kind="polynomial", exponents=[[1]]).check_shape(TASK.shape)
