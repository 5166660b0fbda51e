import pytest

from ontogeny import config
from ontogeny.transitions.interventions import learning_rate_jumps


def jumps(learning_rate: object, steps: int = 1000) -> dict[float, str]:
    optimizer = {"name": "sgd", "learning_rate": learning_rate}
    return learning_rate_jumps(config.Training.model_validate({"optimizer": optimizer, "steps": steps}))


def test_the_steps_of_a_staircase_are_jumps() -> None:
    schedule = {"name": "piecewise_constant_schedule", "init_value": 0.1, "boundaries_and_scales": {300: 0.1, 700: 5.0}}
    found = jumps(schedule)
    assert [int(step) for step in found] in ([300, 700], [301, 701])
    assert next(iter(found.values())) == "the learning rate went from 0.1 to 0.01"


@pytest.mark.parametrize(
    "schedule",
    [
        0.1,
        {"name": "cosine_decay_schedule", "init_value": 0.1, "decay_steps": 1000},
        {"name": "linear_schedule", "init_value": 0.1, "end_value": 0.0, "transition_steps": 1000},
        {"name": "warmup_cosine_decay_schedule", "init_value": 0.0, "peak_value": 0.1, "warmup_steps": 50, "decay_steps": 1000},
    ],
)
def test_smooth_schedules_and_warm_ups_have_none(schedule: object) -> None:
    assert jumps(schedule) == {}
