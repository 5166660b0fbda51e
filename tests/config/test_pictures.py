"""`pictures:` of a family: what is allowed, and the card of a picture of the user's own."""

import pytest

from ontogeny.config.observables import cards, pictures_on
from ontogeny.config.pictures import PictureCard
from ontogeny.config.reading import ConfigError, validate_study

CARD = "pictures: {gram: {title: overlaps, caption: How much features overlap., form: cells}}"
FAMILY = {
    "task": {"kind": "sparse_features"},
    "model": {"kind": "superposition"},
    "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "steps": 10},
    "checkpoints": {"linear": 4},
}


def study(**more):
    return {"seeds": [0], "families": {"small": FAMILY | more}}


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (["attentions"], r"pictures\.0 is 'attentions': .*attention, features, fourier, singular_values, token_losses, or path"),
        (["own.py:nothing"], r"pictures\.0 is 'own\.py:nothing': .* defines no nothing"),
        (["gone.py:gram"], r"pictures\.0 is 'gone\.py:gram': no such file"),
        ("features", r"pictures is 'features': must be a list"),
    ],
)
def test_a_wrong_picture_stops_before_any_job(tmp_path, pictures, words):
    (tmp_path / "own.py").write_text("def gram(network, task): ...")
    with pytest.raises(ConfigError, match=words):
        validate_study(study(pictures=pictures), tmp_path / "config.yaml")


def test_a_faulty_card_of_a_picture_stops_before_any_job(tmp_path):
    (tmp_path / "own.py").write_text("def gram(network, task): ...")
    card = tmp_path / "own.card.yaml"
    card.write_text(CARD.replace("cells", "squares"))
    with pytest.raises(ConfigError, match=r"own\.card\.yaml: pictures\.gram\.form is 'squares'"):
        validate_study(study(pictures=["own.py:gram"]), tmp_path / "config.yaml")
    card.write_text(CARD)
    validate_study(study(pictures=["own.py:gram"]), tmp_path / "config.yaml")
    expected = PictureCard(title="overlaps", caption="How much features overlap.", form="cells")
    assert pictures_on(cards(["own.py:gram"], tmp_path)) == {"gram": expected}
