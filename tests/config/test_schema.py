"""The schema that editors read: it is the models' own, and says of every key what it means and how large it may be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ontogeny.config.study import json_schema


def test_the_schema_in_the_repository_is_current():
    written = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.json"
    assert written.read_text() == json_schema(), "run: python -m ontogeny schema > workflow/schemas/config.schema.json"


def sections() -> dict[str, dict[str, Any]]:
    """Return the schema of every section of config.yaml, by name."""
    schema = json.loads(json_schema())
    return {"Study": schema, **schema["$defs"]}


def test_every_key_and_every_section_has_a_full_sentence():
    sentences = {name: section.get("description", "") for name, section in sections().items() if name != "Study"}
    for name, section in sections().items():
        for key, field in section.get("properties", {}).items():
            sentences[f"{name}.{key}"] = field.get("description", "")
    assert len(sentences) > 120
    assert {key: text for key, text in sentences.items() if not text[:1].isupper() or text[-1:] != "."} == {}


def integers(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the schema of every whole number below a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "integer":
            yield path, schema
        for key, value in schema.items():
            yield from integers(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for place, value in enumerate(schema):
            yield from integers(value, f"{path}.{place}")


def test_every_whole_number_has_bounds_on_both_sides():
    found = [item for name, section in sections().items() for item in integers(section.get("properties"), name)]
    assert len(found) > 40
    for path, schema in found:
        assert schema.keys() & {"maximum", "exclusiveMaximum"} and "minimum" in schema, path
