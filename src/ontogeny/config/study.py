"""Everything in one config.yaml, and its JSON schema."""

import json
from typing import Annotated

from pydantic import AfterValidator, Field

from ontogeny.config.family import FamilyWithSweep
from ontogeny.config.job_names import JOBS
from ontogeny.config.section import NAME, Section, Seed

RESERVED = (*JOBS, "report", "studies", "all")


def check_reserved(name: str) -> str:
    """Refuse names that are folders of the study's pages or rules of the workflow (a family's name is a target)."""
    if name in RESERVED:
        raise ValueError(f"{name!r} is a name of the workflow; give the family another one")
    return name


FamilyName = Annotated[str, Field(pattern=f"^{NAME}$"), AfterValidator(check_reserved)]


class Study(Section):
    """Everything in one config.yaml."""

    results: Annotated[str, Field(min_length=1, description="folder of the results, relative to the working directory")] = (
        "results"
    )
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    families: Annotated[dict[FamilyName, FamilyWithSweep], Field(min_length=1)]


def json_schema() -> str:
    """The JSON schema of config.yaml as text, for editors."""
    return json.dumps({**Study.model_json_schema(), "title": "config.yaml of ontogeny"}, indent=2) + "\n"
