import inspect

import optax
import pytest

from ontogeny.config import optax_names


@pytest.mark.parametrize("role", ["optimizer", "schedule"])
def test_what_is_read_from_the_source_is_what_optax_has(role):
    read = optax_names.signatures(role)
    assert {"optimizer": {"sgd", "adam", "adamw"}, "schedule": {"cosine_decay_schedule", "constant_schedule"}}[role] <= set(read)
    for name, arguments in read.items():
        assert tuple(inspect.signature(getattr(optax, name)).parameters) == arguments


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(ValueError, match=r"no schedule called 'cosine'; it has .*cosine_decay_schedule"):
        optax_names.check("schedule", "cosine", {})


def test_an_unknown_argument_is_told_what_there_is():
    with pytest.raises(ValueError, match="sgd takes no b1; it takes learning_rate, momentum"):
        optax_names.check("optimizer", "sgd", {"b1": 0.9})
