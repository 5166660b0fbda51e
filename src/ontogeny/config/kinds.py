"""`kind:` of a model or a task: a built-in one by its name, or a file of the user's own."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ontogeny.config.section import Section


class UserKind(Section):
    """A user's own model or task, `kind: path/to/file.py:name`; every other key is passed to it as it stands."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[str, Field(pattern=r"^.+\.py:[A-Za-z_]\w*$", description="path/to/file.py:name, relative to the config")]

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


def kind_tag(value: Any) -> str | None:
    """The branch of a union on `kind` that a value belongs to: `file` for a user's own."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "file" if isinstance(kind, str) and ".py:" in kind else kind
