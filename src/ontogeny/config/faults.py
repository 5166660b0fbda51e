"""Faults of a config in plain words: where they are, which value is there, and what is allowed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ontogeny.config.kinds import OBSERVABLE, OBSERVABLE_IN_WORDS, PICTURE, PICTURE_IN_WORDS, USER_FILE, USER_FILE_IN_WORDS
from ontogeny.config.locations import KEY, follow, is_section, tag
from ontogeny.config.section import FOLDER, FOLDER_IN_WORDS, NAME, NAME_IN_WORDS

ALLOWED = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "too_short": "of length {min_length} or more",
    "string_too_short": "of length {min_length} or more",
    "too_long": "of length {max_length} or less",
    "string_too_long": "of length {max_length} or less",
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
"""The same for values of another shape. Such a value may be meant for another branch of a union."""
PATTERNS = {
    f"^{NAME}$": NAME_IN_WORDS,
    f"^{USER_FILE}$": USER_FILE_IN_WORDS,
    f"^({OBSERVABLE})$": OBSERVABLE_IN_WORDS,
    f"^({PICTURE})$": PICTURE_IN_WORDS,
    f"^{FOLDER}$": FOLDER_IN_WORDS,
}
"""A pattern of a field -> what it allows, in words."""
LONGEST_VALUE = 200
"""The most characters of a key or a value that a message repeats."""


@dataclass(frozen=True)
class Fault:
    """A fault at one place of the config.

    Attributes:
        path: the dotted keys that lead to the place in the file.
        subject: the path with the value that is there.
        allowed: what the value must be, as it reads after "must be"; "" where `sentence` says what is wrong.
        sentence: what is wrong, where "must be" does not say it.
        of_shape: the value is a mapping or a list where neither is allowed.
    """

    path: str
    subject: str
    allowed: str = ""
    sentence: str = ""
    of_shape: bool = False


def describe(error: ValidationError, section: type[BaseModel], prefix: str = "") -> list[str]:
    """Return one line for each fault of a validation.

    Args:
        error: pydantic's error.
        section: the model that was validated.
        prefix: the path of the section in the file.
    """
    faults = [read(details, section, prefix) for details in error.errors(include_url=False)]
    # A value with the shape of another branch of a union, in which something else is wrong, was meant for that branch.
    inside = {above for fault in faults if not fault.of_shape for above in paths_above(fault.path)}
    meant = [fault for fault in faults if not (fault.of_shape and fault.path in inside)]
    allowed: dict[str, list[str]] = {}
    for fault in meant:
        allowed.setdefault(fault.subject, []).append(fault.allowed)
    lines = (f"{fault.subject}: {fault.sentence or 'must be ' + alternatives(allowed[fault.subject])}" for fault in meant)
    return list(dict.fromkeys(lines))


def read(details: ErrorDetails, section: type[BaseModel], prefix: str) -> Fault:
    """Return the fault that pydantic describes."""
    kind, value, location = details["type"], details["input"], details["loc"]
    keys, expected = follow(section, location)
    path = ".".join([prefix, *map(cut, keys)]).strip(".")
    if kind == "missing":
        return Fault(path, f"{path} is missing", sentence="it has no default")
    subject = f"{path} (the key)" if location[-1:] == (KEY,) else f"{path}{written(value)}"
    if kind == "extra_forbidden":
        return Fault(path, subject, sentence=f"no such key; {suggestion(keys[-1], keys_of(section, location[:-1]))}")
    if kind.startswith("union_tag"):
        return misnamed_kind(path, value, expected)
    of_shape = isinstance(value, (Mapping, list))
    if kind in SHAPES:
        return Fault(path, subject, SHAPES[kind], of_shape=of_shape)
    context = {name: whole(bound) for name, bound in details.get("ctx", {}).items()}
    allowed = PATTERNS.get(str(context.get("pattern"))) or ALLOWED.get(kind, "").format(**context)
    if not allowed:
        return Fault(path, subject, sentence=details["msg"].removeprefix("Value error, "))
    return Fault(path, subject, allowed, of_shape=of_shape and kind == "literal_error")


def paths_above(path: str) -> Iterator[str]:
    """Yield a path and all paths that lead to it."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def alternatives(allowed: Iterable[str]) -> str:
    """Return all that the branches of a union allow, as it reads after "must be"."""
    *others, last = dict.fromkeys(filter(None, allowed))
    return ", ".join([*others, f"or {last}"]) if others else last


def misnamed_kind(path: str, value: Any, union: Any) -> Fault:
    """Return the fault of a section whose `kind` is missing or belongs to no branch of the union."""
    if not isinstance(value, Mapping):
        return Fault(path, f"{path}{written(value)}", "a mapping such as {kind: …}")
    kinds = [USER_FILE_IN_WORDS if name == "file" else str(name) for name in map(tag, get_args(union))]
    subject = f"{path}.kind{written(value['kind']) if 'kind' in value else ' is missing'}"
    return Fault(f"{path}.kind", subject, f"one of {', '.join(kinds)}")


def keys_of(section: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the section at a location."""
    _, kind = follow(section, location)
    return list(kind.model_fields) if is_section(kind) else []


def suggestion(key: str, allowed: list[str]) -> str:
    """Return a sentence with the allowed key that is nearest to this one, or with all that are allowed."""
    near = get_close_matches(key, allowed, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(allowed)}"


def written(value: Any) -> str:
    """Return ' is 5', the value as YAML writes it and cut where it is long; '' for a mapping."""
    if isinstance(value, Mapping):
        return ""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else represented(value)
    return f" is {cut(text)}"


def cut(text: str) -> str:
    """Return text of at most `LONGEST_VALUE` characters, with a mark where it was longer."""
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def represented(value: Any) -> str:
    """Return Python's representation of a value. It may be one that Python cannot write, such as a number of 5,000 digits."""
    try:
        return repr(value)
    except ValueError:
        return "a number of more digits than Python writes"


def whole(bound: Any) -> Any:
    """Return a bound without a decimal point, if it is a whole number."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
