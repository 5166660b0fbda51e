"""What all sections of config.yaml share: their strictness, and the numbers in them."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from ontogeny.config.limits import LARGEST

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=LARGEST)]
CountOrZero = Annotated[int, Field(ge=0, le=LARGEST)]
AtLeastTwo = Annotated[int, Field(ge=2, le=LARGEST)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]
NAME, NAME_IN_WORDS = "[A-Za-z][A-Za-z0-9_-]*", "a letter, then letters, digits, _ or -"
FOLDER = r"[^-{}\x00-\x1f\x7f-\x9f][^{}\x00-\x1f\x7f-\x9f]*"
FOLDER_IN_WORDS = "a path without braces and control characters that does not begin with -"


class Section(BaseModel):
    """A part of config.yaml. It rejects unknown keys, and its values do not change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return the section with other values of some keys.

        Raises:
            ValidationError: a value is not allowed.
        """
        return type(self).model_validate(self.model_dump(exclude_unset=True) | dict(changes))


AS_WRITTEN = {"as written": True}
"""The context that validates a whole file. Without it null means none, as in the points of a sweep and in specifications."""


def refuse_empty(value: Any, information: ValidationInfo) -> Any:
    """Raise ValueError for `phases:` with nothing below it, which could mean no section or a section of defaults."""
    if value is None and information.context == AS_WRITTEN:
        raise ValueError("the section is empty; write {} for all of its defaults, or leave it out")
    return value


NotEmpty = BeforeValidator(refuse_empty)
