"""The kinds of models, tasks and observables: built-in ones by their names, or files of the user's own."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ontogeny.config.section import Section

USER_FILE, USER_FILE_IN_WORDS = r".+\.py:[A-Za-z_]\w*", "path/to/file.py:name"
OBSERVABLES = ("loss", "polygons", "features", "in_context", "attention", "accuracy", "spectrum")
OBSERVABLE = f"{'|'.join(OBSERVABLES)}|{USER_FILE}"
OBSERVABLE_IN_WORDS = f"{', '.join(OBSERVABLES)}, or {USER_FILE_IN_WORDS}"
ObservableKind = Annotated[str, Field(pattern=f"^({OBSERVABLE})$", description=OBSERVABLE_IN_WORDS)]


class UserKind(Section):
    """A user's own model or task, `kind: path/to/file.py:name`; every other key is passed to it as it stands."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[str, Field(pattern=f"^{USER_FILE}$", description=f"{USER_FILE_IN_WORDS}, relative to the config")]

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


def kind_tag(value: Any) -> str | None:
    """The branch of a union on `kind` that a value belongs to: `file` for a user's own."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "file" if isinstance(kind, str) and ".py:" in kind else kind
