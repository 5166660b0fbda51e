"""The whole of config.yaml, and its JSON schema."""

import json
from typing import Annotated

from pydantic import AfterValidator, Field

from ontogeny.config.family import FamilyWithSweep
from ontogeny.config.job_names import KINDS
from ontogeny.config.limits import LONGEST_NAME, MOST_SEEDS, MOST_VARIANTS
from ontogeny.config.section import FOLDER, NAME, Section, Seed

RESERVED = (*KINDS, "report", "studies", "all")
"""Names that no family may have."""


def check_reserved(name: str) -> str:
    """Return the name of a family; raise ValueError for one that a folder of the pages or a rule of the workflow has."""
    if name in RESERVED:
        raise ValueError(f"{name!r} is a name of the workflow; give the family another one")
    return name


FamilyName = Annotated[str, Field(pattern=f"^{NAME}$", max_length=LONGEST_NAME), AfterValidator(check_reserved)]


class Study(Section):
    """A study is all that one config.yaml describes."""

    results: Annotated[
        str,
        Field(
            min_length=1,
            pattern=f"^{FOLDER}$",
            description="The results go to this folder, relative to the working directory.",
        ),
    ] = "results"
    seeds: Annotated[
        list[Seed],
        Field(min_length=1, max_length=MOST_SEEDS, description="Every variant has a run for each of these seeds."),
    ] = [0]
    families: Annotated[
        dict[FamilyName, FamilyWithSweep],
        Field(min_length=1, max_length=MOST_VARIANTS, description="The study has these families, by name."),
    ]


def json_schema() -> str:
    """Return the JSON schema of config.yaml as text, for editors."""
    return json.dumps({**Study.model_json_schema(), "title": "config.yaml of ontogeny"}, indent=2) + "\n"
