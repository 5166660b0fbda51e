"""The schema that editors read is the models' own."""

from pathlib import Path

from ontogeny.config.study import json_schema


def test_the_schema_in_the_repository_is_current():
    written = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.json"
    assert written.read_text() == json_schema(), "run: python -m ontogeny schema > workflow/schemas/config.schema.json"
