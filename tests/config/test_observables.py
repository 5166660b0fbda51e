"""Cards of observables: titles, units, meanings and naming rules, apart from what measures them."""

import subprocess
import sys

import pytest

from ontogeny.config.observables import Card, Label, built_in_cards, cards, labels_on, rules_on
from ontogeny.config.reading import ConfigError, validate_study
from ontogeny.pipeline.parsed import python_digest
from ontogeny.transitions.naming import DEFAULT_RULES

IN_FILE = '''"""Measure the norm."""
CARD = """
observables:
  norm: {title: a norm, unit: ""}
"""


def norm(network, task): ...
'''

OWN_CARD = """
observables:
  weight_norm: {title: norm of the weights, unit: norm, meaning: The Euclidean norm of all weights.}
  loss: {title: my loss, unit: nats}
rules:
  - {name: growth, conditions: [{observable: weight_norm, direction: rise}], evidence: [weight_norm]}
"""


def test_rules_come_in_their_stated_order_and_those_of_own_observables_first(tmp_path):
    built_in = [
        "unigram → bigram solution",
        "unigram solution",
        "induction-head formation",
        *["previous-token head formation (layer {layer})"] * 2,
        "bigram learning",
        "{before}-gon → {after}-gon",
        "generalisation",
        "memorisation",
        "rank {before} → {after}",
        "coefficient learning",
        "circuit formation",
        "ridge → dMMSE",
        "regression in context",
        "blocks learnt {before} → {after}",
        "memorisation → features",
    ]
    assert [rule.name for rule in DEFAULT_RULES] == built_in
    (tmp_path / "own.card.yaml").write_text(OWN_CARD)
    own = cards(["loss", "own.py:first", "own.py:second"], tmp_path)
    assert [rule.name for rule in rules_on(own)] == ["growth", *built_in]
    assert labels_on(own)["loss"] == Label(title="my loss", unit="nats")
    assert labels_on(own)["rank"] == labels_on(built_in_cards())["rank"]


def test_observables_of_ones_own_need_no_card(tmp_path):
    assert cards(["own.py:first"], tmp_path) == (Card(), *built_in_cards())


def test_a_faulty_card_stops_before_any_job(tmp_path):
    (tmp_path / "own.py").write_text("def norm(network, task): ...")
    card = tmp_path / "own.card.yaml"
    family = {
        "task": {"kind": "sparse_features"},
        "model": {"kind": "superposition"},
        "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "steps": 10},
        "checkpoints": {"linear": 4},
        "observables": ["own.py:norm"],
    }
    study = {"seeds": [0], "families": {"small": family}}
    for text, words in (
        (OWN_CARD.replace("unit: nats", "units: nats"), r"own\.card\.yaml: observables\.loss\.units is 'nats': .* unit\?"),
        ("rules: [", r"own\.card\.yaml cannot be read"),
    ):
        card.write_text(text)
        with pytest.raises(ConfigError, match=r"observables\.0 is 'own\.py:norm': .*" + words):
            validate_study(study, tmp_path / "config.yaml")
    card.write_text(OWN_CARD)
    validate_study(study, tmp_path / "config.yaml")
    card.unlink()
    (tmp_path / "own.py").write_text(IN_FILE)
    with pytest.raises(ConfigError, match=r"the card in .*own\.py: observables\.norm\.unit"):
        validate_study(study, tmp_path / "config.yaml")


def test_cards_and_rules_are_read_without_jax():
    code = (
        "import sys, ontogeny.config, ontogeny.report.labels as labels, ontogeny.transitions.naming\n"
        "assert labels.label('rank').axis == 'directions'\n"
        "assert not {'jax', 'flax'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_card_may_stand_in_the_file_and_an_edit_of_it_measures_nothing_again(tmp_path):
    (tmp_path / "own.py").write_text(IN_FILE.replace('unit: ""', "unit: metres"))
    assert labels_on(cards(["own.py:norm"], tmp_path))["norm"] == Label(title="a norm", unit="metres")
    renamed = (tmp_path / "own.py").read_text().replace("a norm", "another norm")
    assert python_digest(renamed) == python_digest((tmp_path / "own.py").read_text())
    assert python_digest(renamed) != python_digest(renamed.replace("def norm", "def size"))
    (tmp_path / "own.card.yaml").write_text("observables: {norm: {title: beside, unit: metres}}")
    assert labels_on(cards(["own.py:norm"], tmp_path))["norm"].title == "beside"
