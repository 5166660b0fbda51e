"""Write the reference of every key of config.yaml from the models that validate it: `python -m ontogeny.config.reference`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ontogeny.config.study import json_schema

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
LARGEST_COUNT = 2**31 - 1
FAMILY = "FamilyWithSweep"
HEAD = """# Every key of config.yaml

This page is written from the models that validate the file (`python -m ontogeny.config.reference`), so it is what the program
checks. A key that is not here is an error, reported with its path before any job starts. Editors complete keys from
`workflow/schemas/config.schema.json`. Keys without a default are required where the column says so.
"""


def reference() -> str:
    """Return the page as Markdown: a table for each section."""
    schema = json.loads(json_schema())
    sections = {"Study": schema, FAMILY: schema["$defs"][FAMILY], **schema["$defs"]}
    parts = [HEAD, *(part for name, section in sections.items() if "properties" in section for part in section_of(name, section))]
    return "\n".join(parts)


def section_of(name: str, section: Mapping[str, Any]) -> Iterator[str]:
    """Yield the heading, the sentence and the table of a section."""
    yield f"## {name} {{ #{name.lower()} }}\n"
    yield section.get("description", "").strip() + "\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    for key, value in section["properties"].items():
        default = "required" if key in section.get("required", ()) else shown(value)
        yield f"| `{key}` | {cell(type_of(value))} | {default} | {cell(meaning(value))} |"
    yield ""


def type_of(value: Mapping[str, Any]) -> str:
    """Return what a value may be, in words; a section links to its table."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{item}`" for item in value["enum"])
    options = value.get("anyOf") or value.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(type_of(option) for option in options))
    kind = value.get("type", "any value")
    if kind == "array":
        return f"list of {type_of(value.get('items', {}))}"
    if kind == "object":
        inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
        return f"mapping to {type_of(inner)}" if isinstance(inner, dict) and inner else "mapping"
    plain = {"boolean": "`true` or `false`", "string": "text", "null": "`null`"}
    return f"{plain.get(kind, kind)}{bounds(value)}"


def bounds(value: Mapping[str, Any]) -> str:
    """Return the bounds of a number in words; the largest count of a computer is none."""
    known = [f"{sign} {value[name]:g}" for name, sign in BOUNDS.items() if name in value and value[name] < LARGEST_COUNT]
    return f" {', '.join(known)}" if known else ""


def meaning(value: Mapping[str, Any]) -> str:
    """Return the sentence of a key; where it stands in the section that the key selects, nothing."""
    return value.get("description", "")


def shown(value: Mapping[str, Any]) -> str:
    """Return the default of a key. That of a section stands in the section's own table."""
    default = value.get("default")
    if default is None or (isinstance(default, dict) and default):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def cell(text: str) -> str:
    """Return text that may stand in a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    print(reference(), end="")
