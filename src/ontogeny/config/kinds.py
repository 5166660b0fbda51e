"""The kinds of models, tasks and observables: built-in kinds have names, a user's own kind is a file and a name in it."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ontogeny.config.section import Section

USER_FILE, USER_FILE_IN_WORDS = r".+\.py:[A-Za-z_]\w*", "path/to/file.py:name"
OBSERVABLES = ("loss", "polygons", "features", "in_context", "attention", "accuracy", "spectrum")
OBSERVABLE = f"{'|'.join(OBSERVABLES)}|{USER_FILE}"
OBSERVABLE_IN_WORDS = f"{', '.join(OBSERVABLES)}, or {USER_FILE_IN_WORDS}"
ObservableKind = Annotated[str, Field(pattern=f"^({OBSERVABLE})$", description=f"The kind is {OBSERVABLE_IN_WORDS}.")]


class UserKind(Section):
    """The model or task is the user's own, `kind: path/to/file.py:name`; every other key is passed to it unchanged."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[
        str,
        Field(
            pattern=f"^{USER_FILE}$",
            description=f"The kind is {USER_FILE_IN_WORDS}: a Python file, relative to the config, and a name that it defines.",
        ),
    ]

    @property
    def options(self) -> dict[str, Any]:
        """Return all keys besides `kind`."""
        return dict(self.__pydantic_extra__ or {})


def kind_tag(value: Any) -> str | None:
    """Return the tag of the branch that a value belongs to in a union on `kind`: `file` for a user's own."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "file" if isinstance(kind, str) and ".py:" in kind else kind
