"""What all sections of config.yaml share: their strictness, and the numbers in them."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]
NAME, NAME_IN_WORDS = "[A-Za-z][A-Za-z0-9_-]*", "a letter, then letters, digits, _ or -"


class Section(BaseModel):
    """A part of config.yaml: unknown keys are refused, values do not change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


AS_WRITTEN = {"as written": True}
"""The context in which a file is validated; the points of a sweep and the specifications of jobs may say null for none."""


def refuse_empty(value: Any, information: ValidationInfo) -> Any:
    """Refuse `phases:` with nothing below it: it may be meant for none, or for all defaults."""
    if value is None and information.context == AS_WRITTEN:
        raise ValueError("the section is empty; write {} for all of its defaults, or leave it out")
    return value


NotEmpty = BeforeValidator(refuse_empty)
