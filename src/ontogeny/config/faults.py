"""What is wrong with a config in plain words: where, with which value, and what is allowed there."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ontogeny.config.kinds import OBSERVABLE, OBSERVABLE_IN_WORDS, USER_FILE, USER_FILE_IN_WORDS
from ontogeny.config.locations import KEY, follow, is_section, tag
from ontogeny.config.section import NAME, NAME_IN_WORDS

ALLOWED = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "too_short": "of length {min_length} or more",
    "string_too_short": "of length {min_length} or more",
}
"""Pydantic's kind of fault -> what is allowed, as it reads after "must be"."""
SHAPES = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
"""The same of values of another shape, which may be meant for another branch of a union."""
PATTERNS = {
    f"^{NAME}$": NAME_IN_WORDS,
    f"^{USER_FILE}$": USER_FILE_IN_WORDS,
    f"^({OBSERVABLE})$": OBSERVABLE_IN_WORDS,
}


@dataclass(frozen=True)
class Fault:
    """What is told of one place: its subject, and what it must be or another sentence.

    Attributes:
        path: dotted keys of the file.
        subject: the path with its value.
        allowed: reads after "must be"; "" where `told` says what is wrong.
        of_shape: the value is a mapping or a list where neither is allowed.
    """

    path: str
    subject: str
    allowed: str = ""
    told: str = ""
    of_shape: bool = False


def describe(error: ValidationError, section: type[BaseModel], prefix: str = "") -> list[str]:
    """One line a fault.

    Args:
        section: what was validated.
        prefix: the path of the section in the file.
    """
    faults = [read(fault, section, prefix) for fault in error.errors(include_url=False)]
    meant = [fault for fault in faults if not (fault.of_shape and has_other(fault, faults))]
    told = [f"{fault.subject}: {fault.told}" if fault.told else in_words(fault, meant) for fault in meant]
    return list(dict.fromkeys(told))


def read(fault: ErrorDetails, section: type[BaseModel], prefix: str) -> Fault:
    """A fault that pydantic found."""
    kind, value, location = fault["type"], fault["input"], fault["loc"]
    keys, expected = follow(section, location)
    path = ".".join([prefix, *keys]).strip(".")
    if kind == "missing":
        return Fault(path, f"{path} is missing", told="it has no default")
    subject = f"{path} (the key)" if location[-1:] == (KEY,) else f"{path}{shown(value)}"
    if kind == "extra_forbidden":
        return Fault(path, subject, told=f"no such key; {suggested(keys[-1], keys_of(section, location[:-1]))}")
    if kind.startswith("union_tag"):
        return misnamed_kind(path, value, expected)
    of_shape = isinstance(value, (Mapping, list))
    if kind in SHAPES:
        return Fault(path, subject, SHAPES[kind], of_shape=of_shape)
    context = {name: whole(bound) for name, bound in fault.get("ctx", {}).items()}
    allowed = PATTERNS.get(str(context.get("pattern"))) or ALLOWED.get(kind, "").format(**context)
    if not allowed:
        return Fault(path, subject, told=fault["msg"].removeprefix("Value error, "))
    return Fault(path, subject, allowed, of_shape=of_shape and kind == "literal_error")


def has_other(fault: Fault, faults: list[Fault]) -> bool:
    """Whether the value has the shape of another branch, in which something else is wrong."""
    return any(not other.of_shape and f"{other.path}.".startswith(f"{fault.path}.") for other in faults)


def in_words(fault: Fault, faults: list[Fault]) -> str:
    """All that the branches of a union allow at the fault's place, in one line."""
    *others, last = dict.fromkeys(other.allowed for other in faults if other.subject == fault.subject and other.allowed)
    return f"{fault.subject}: must be {', '.join([*others, f'or {last}']) if others else last}"


def misnamed_kind(path: str, value: Any, union: Any) -> Fault:
    """A section whose `kind` is missing, or is none of those of its union."""
    if not isinstance(value, Mapping):
        return Fault(path, f"{path}{shown(value)}", "a mapping such as {kind: …}")
    kinds = [USER_FILE_IN_WORDS if name == "file" else str(name) for name in map(tag, get_args(union))]
    subject = f"{path}.kind{shown(value['kind']) if 'kind' in value else ' is missing'}"
    return Fault(f"{path}.kind", subject, f"one of {', '.join(kinds)}")


def keys_of(section: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys of the section at a location."""
    _, found = follow(section, location)
    return list(found.model_fields) if is_section(found) else []


def suggested(key: str, allowed: list[str]) -> str:
    """The allowed key that this one is nearly, or all that are allowed."""
    near = get_close_matches(key, allowed, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(allowed)}"


def shown(value: Any) -> str:
    """' is 5', as YAML writes it; a mapping is not shown."""
    if isinstance(value, Mapping):
        return ""
    return f" is {'null' if value is None else str(value).lower() if isinstance(value, bool) else repr(value)}"


def whole(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
