"""The cards of observables and pictures: what the pages call them, and how the transitions that they show are named.

The card of a kind is a YAML file beside its module, such as `observables/attention.card.yaml`; the card of a user's file `own.py`
is `own.card.yaml`, or the text that the file itself calls `CARD`. Only the pages and the naming of transitions read cards, so an
edit of a card measures nothing again.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from ontogeny.config.loader import Loader
from ontogeny.config.pictures import PictureCard
from ontogeny.config.section import NonNegative, Section
from ontogeny.config.transitions import NamingRule
from ontogeny.pipeline.own_card import card_in

ROOM, SUFFIX = Path(__file__).parents[1] / "observables", ".card.yaml"
OBSERVABLES = tuple(sorted(path.stem for path in ROOM.glob("[!_]*.py")))
"""The built-in kinds of observables."""
FIRST_RULES = ("markov_chains", "attention", "in_context", "polygons", "accuracy", "spectrum")
"""The rules of these kinds are tried first, in this order; those of other kinds follow in the order of their names."""


class Label(Section):
    """The label says what the pages call an observable."""

    title: Annotated[str, Field(min_length=1, description="The pages call the observable by this title.")]
    unit: Annotated[str, Field(min_length=1, description="The axis of its curve shows this unit.")]
    meaning: Annotated[str, Field(description="This sentence says what the observable measures.")] = ""
    least_change: Annotated[
        NonNegative,
        Field(description="A change of the observable by less than this, in its unit, is no transition and names none."),
    ] = 0.0
    repeats: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The observable is the one of this name in another unit, so no transition is looked for in it; null "
            "means that it is no other one.",
        ),
    ] = None


class Card(Section):
    """The card holds the texts of a kind of observables or pictures."""

    observables: Annotated[dict[str, Label], Field(description="The name of each observable maps to its label.")] = {}
    rules: Annotated[
        list[NamingRule], Field(description="These rules name transitions; `transitions.rules` of a family come before them.")
    ] = []
    pictures: Annotated[dict[str, PictureCard], Field(description="The name of each picture maps to its card.")] = {}


def read_card(path: Path) -> Card:
    """Return the card in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not a card.
        yaml.YAMLError: the file is not YAML.
    """
    return card_of(path.read_text(encoding="utf-8"))


def card_of(text: str) -> Card:
    return Card.model_validate(yaml.load(text, Loader) or {})


def user_card(kind: str, base: Path) -> Card:
    """Return the card of a user's own observables or pictures: that beside the file, else that in it, else an empty one.

    Args:
        kind: `path/to/file.py:name`.
        base: the folder of the config.

    Raises:
        OSError, ValueError, yaml.YAMLError: as `read_card`.
    """
    path = base / kind.rpartition(":")[0]
    beside = path.with_suffix(SUFFIX)
    if beside.exists():
        return read_card(beside)
    return card_of(card_in(path.read_text(encoding="utf-8"))) if path.is_file() else Card()


@cache
def built_in_cards() -> tuple[Card, ...]:
    """Return the cards of all built-in kinds in the order in which their rules are tried."""
    order = sorted(OBSERVABLES, key=lambda kind: FIRST_RULES.index(kind) if kind in FIRST_RULES else len(FIRST_RULES))
    return tuple(read_card(ROOM / f"{kind}{SUFFIX}") for kind in order)


def cards(kinds: Iterable[str] | None, base: Path) -> tuple[Card, ...]:
    """Return the cards of a family: those of the user's own kinds, then those of all built-in kinds."""
    own = {kind.rpartition(":")[0]: kind for kind in kinds or () if ".py:" in kind}
    return (*(user_card(kind, base) for kind in own.values()), *built_in_cards())


def labels_on(cards: Iterable[Card]) -> dict[str, Label]:
    """Return name -> label of all observables on cards; the first label of a name counts."""
    return {name: label for card in reversed(tuple(cards)) for name, label in card.observables.items()}


def pictures_on(cards: Iterable[Card]) -> dict[str, PictureCard]:
    """Return name -> card of all pictures on cards; the first card of a name counts."""
    return {name: picture for card in reversed(tuple(cards)) for name, picture in card.pictures.items()}


def rules_on(cards: Iterable[Card]) -> tuple[NamingRule, ...]:
    """Return the rules on cards, in their order."""
    return tuple(rule for card in cards for rule in card.rules)


def least_changes_on(cards: Iterable[Card]) -> dict[str, float]:
    """Return name -> the least change that counts, of the observables whose card states one."""
    return {name: label.least_change for name, label in labels_on(cards).items() if label.least_change}


def repeated_on(cards: Iterable[Card]) -> list[str]:
    """Return the names of the observables that are another one in another unit."""
    return [name for name, label in labels_on(cards).items() if label.repeats]
