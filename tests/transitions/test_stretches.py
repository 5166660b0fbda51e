import numpy as np
import pytest

from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.evidence import Change
from ontogeny.transitions.stretches import gaps, stage_type, stages_between

UP, STILL, DOWN = Change(1.0, 2.0, 0.1), Change(1.0, 1.1, 0.1), Change(2.0, 1.0, 0.1)


@pytest.mark.parametrize(
    ("llc", "loss", "name"),
    [
        (UP, DOWN, "complexity bought"),
        (DOWN, DOWN, "simplification"),
        (UP, STILL, "hidden"),
        (DOWN, STILL, "hidden"),
        (STILL, STILL, "quiet"),
        (STILL, DOWN, "loss falls alone"),
        (UP, UP, "loss rises"),
        (None, DOWN, "not measured"),
    ],
)
def test_types(llc: Change | None, loss: Change | None, name: str) -> None:
    assert stage_type(llc, loss) == name


def test_an_exact_change_of_a_trifle_is_quiet() -> None:
    assert stage_type(STILL, Change(1.0, 0.99, 0.0)) == "quiet"


def test_gaps() -> None:
    assert gaps([], 0, 10) == [(0, 10)]
    assert gaps([(2, 3), (5, 7)], 0, 10) == [(0, 2), (3, 5), (7, 10)]
    assert gaps([(0, 6), (1, 3)], 0, 10) == [(6, 10)]


def test_a_stage_that_begins_with_a_drop_counts_all_of_it() -> None:
    steps = np.arange(20.0)
    values = 1 - 0.3 * (steps > 0) + 1e-3 * np.random.default_rng(0).standard_normal(20)
    noise = 1e-6 * np.eye(20)
    loss = Curve(observable="loss", component="", checkpoints=steps, positions=steps, values=values, noise=noise)
    (only,) = stages_between([], {("loss", ""): loss})
    assert only.delta_loss == pytest.approx(-0.3, abs=0.005)


def test_stages_prefer_the_exact_loss() -> None:
    steps = np.arange(20.0)

    def curve(values: np.ndarray) -> Curve:
        return Curve(observable="", component="", checkpoints=steps, positions=steps, values=values, noise=None)

    curves = {("llc", ""): curve(2 * steps), ("loss", ""): curve(steps), ("population_loss", ""): curve(-steps)}
    first, second = stages_between([(8, 11)], curves)
    assert (first.start, first.end, second.start, second.end) == (0, 8, 11, 19)
    assert first.delta_loss == -8
    assert first.delta_llc == 16
    assert first.type == "complexity bought"
