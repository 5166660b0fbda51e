"""The kinds of models, tasks, observables and pictures: built-in kinds have names, a user's own kind is a file and a name in it.

The built-in tasks and models are those whose cards lie in `config/tasks/` and `config/models/`.
"""

from collections.abc import Mapping
from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from ontogeny.config.cards import ModelSection, TaskSection
from ontogeny.config.observables import OBSERVABLES
from ontogeny.config.pictures import PICTURES
from ontogeny.config.section import Section

USER_FILE, USER_FILE_IN_WORDS = r".+\.py:[A-Za-z_]\w*", "path/to/file.py:name"
OBSERVABLE = f"{'|'.join(OBSERVABLES)}|{USER_FILE}"
OBSERVABLE_IN_WORDS = f"{', '.join(OBSERVABLES)}, or {USER_FILE_IN_WORDS}"
ObservableKind = Annotated[str, Field(pattern=f"^({OBSERVABLE})$", description=f"The kind is {OBSERVABLE_IN_WORDS}.")]

PICTURE = f"{'|'.join(PICTURES)}|{USER_FILE}"
PICTURE_IN_WORDS = f"{', '.join(PICTURES)}, or {USER_FILE_IN_WORDS}"
PictureKind = Annotated[str, Field(pattern=f"^({PICTURE})$", description=f"The kind is {PICTURE_IN_WORDS}.")]


class UserKind(Section):
    """The model or task is the user's own, `kind: path/to/file.py:name`; every other key is passed to it unchanged."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[
        str,
        Field(
            pattern=f"^{USER_FILE}$",
            description=f"The kind is {USER_FILE_IN_WORDS}: a Python file, relative to the config, and a name that it defines.",
        ),
    ]

    @property
    def options(self) -> dict[str, Any]:
        """Return all keys besides `kind`."""
        return dict(self.__pydantic_extra__ or {})


def kind_tag(value: Any) -> str | None:
    """Return the tag of the branch that a value belongs to in a union on `kind`: `file` for a user's own."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "file" if isinstance(kind, str) and ".py:" in kind else kind


def cards_in(room: str, base: type[Section]) -> dict[str, type[Section]]:
    """Return kind -> card, of every module of a package of cards.

    Args:
        room: the package below `ontogeny.config`.
        base: the class that cards are made from; a module has one such class of its own.
    """
    modules = {kind: import_module(f"ontogeny.config.{room}.{kind}") for kind in kinds_in(room)}
    return {
        kind: next(card for card in vars(module).values() if is_own_card(card, base, module.__name__))
        for kind, module in modules.items()
    }


def kinds_in(room: str) -> list[str]:
    """Return the names of the modules of a package below `ontogeny.config`, sorted."""
    return [module.name for module in iter_modules(import_module(f"ontogeny.config.{room}").__path__)]


def is_own_card(value: Any, base: type[Section], module: str) -> bool:
    """Return whether a value of a module is a card that the module itself defines."""
    return isinstance(value, type) and issubclass(value, base) and value.__module__ == module


def union(cards: Mapping[str, type[Section]]) -> Any:
    """Return the type of a section whose `kind` selects one of the cards, or a file of the user's own."""
    branches = [Annotated[card, Tag(kind)] for kind, card in cards.items()]
    return Annotated[reduce(or_, [*branches, Annotated[UserKind, Tag("file")]]), Discriminator(kind_tag)]


if TYPE_CHECKING:
    Task = TaskSection | UserKind
    Model = ModelSection | UserKind
else:
    Task = union(cards_in("tasks", TaskSection))
    Model = union(cards_in("models", ModelSection))
