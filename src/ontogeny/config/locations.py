"""Where in a config a fault of pydantic lies: the keys of the file that lead there, and what is expected there."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from ontogeny.config.training import OptaxArgument

KEY = "[key]"
"""Pydantic's last step to the key of a mapping itself, instead of its value."""


def follow(kind: Any, location: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """The keys on the way to a location, and the type there; pydantic names the branch of a union as a step of its own.

    Args:
        kind: the type that the location starts in.
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
    """A type without its bounds, and without null beside it."""
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    is_wrapped = get_origin(kind) is Annotated or (get_origin(kind) in (Union, UnionType) and len(arguments) == 1)
    return bare(arguments[0]) if is_wrapped else kind


def branch(union: Any, part: int | str) -> Any:
    """The branch that pydantic means, by its tag, or by the name of its class within what pydantic calls it; None for neither."""
    for one in get_args(union):
        name = tag(one)
        if name == part or (name is None and getattr(bare(one), "__name__", "no class") in str(part)):
            return one
    return None


def tag(kind: Any) -> str | None:
    return next((extra.tag for extra in get_args(kind)[1:] if isinstance(extra, Tag)), None)


def member(kind: Any, part: int | str) -> Any:
    """The type of a key of a section, or of an entry of a list or mapping; None where anything goes."""
    if get_origin(kind) in (list, dict):
        return get_args(kind)[-1]
    if is_section(kind):
        field = kind.model_fields.get(part)
        return field.annotation if field else OptaxArgument
    return None


def is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
