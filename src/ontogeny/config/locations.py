"""The place of a fault in config.yaml: the keys that lead there, and the type that is expected there."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from ontogeny.config.training import OptaxArgument

KEY = "[key]"
"""Pydantic's last step to a key of a mapping itself, instead of to the key's value."""


def follow(kind: Any, location: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """Return the keys on the way to a location, and the type there.

    Pydantic counts the branch of a union as a step of its own; config.yaml has no key for it.

    Args:
        kind: the type that the location starts in.
        location: pydantic's steps.
    """
    keys: list[str] = []
    for part in location:
        kind = bare(kind)
        if get_origin(kind) in (Union, UnionType):
            kind = branch(kind, part)
        elif part != KEY:
            keys.append(str(part))
            kind = member(kind, part)
    return keys, bare(kind)


def bare(kind: Any) -> Any:
    """Return a type without its bounds, and without null beside it."""
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    is_wrapped = get_origin(kind) is Annotated or (get_origin(kind) in (Union, UnionType) and len(arguments) == 1)
    return bare(arguments[0]) if is_wrapped else kind


def branch(union: Any, part: int | str) -> Any:
    """Return the branch that pydantic names, by its tag or by the name of its class; None if there is no such branch."""
    for option in get_args(union):
        name = tag(option)
        if name == part or (name is None and getattr(bare(option), "__name__", "no class") in str(part)):
            return option
    return None


def tag(kind: Any) -> str | None:
    """Return the tag of a branch; None for a branch without one."""
    return next((extra.tag for extra in get_args(kind)[1:] if isinstance(extra, Tag)), None)


def member(kind: Any, part: int | str) -> Any:
    """Return the type of a key of a section, or of an entry of a list or mapping; None where any type is allowed."""
    if get_origin(kind) in (list, dict):
        return get_args(kind)[-1]
    if is_section(kind):
        field = kind.model_fields.get(part)
        return field.annotation if field else OptaxArgument
    return None


def is_section(kind: Any) -> bool:
    """Return whether a type is a section of config.yaml."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
