"""Read and write the files of the results. A file is written whole or not at all; a damaged file is set aside and named."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.errors import SpecificationError

if TYPE_CHECKING:
    import pandas as pd

REMEDY = "Run the same `snakemake` command again: it makes the file anew."


class ResultError(SpecificationError):
    """A file of the results is missing or damaged; the text names the file and the remedy."""


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under another name and rename it, so that a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    replace_file(path, lambda unfinished: unfinished.write_text(text))


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON, with null for NaN and infinities."""
    write_text(path, json.dumps(finite(value), indent=1, ensure_ascii=False) + "\n")


def finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:
    """Return the content of a JSON file of the results.

    Raises:
        ResultError: the file is missing or damaged.
    """
    return read_result(path, lambda path: json.loads(path.read_text()))


def read_parquet(path: Path) -> "pd.DataFrame":
    """Return a table of the results.

    Raises:
        ResultError: the file is missing or damaged.
    """
    import pandas as pd  # jobs without tables need none

    return read_result(path, pd.read_parquet)


def read_result(path: Path, read: Callable[[Path], Any]) -> Any:
    """Return what `read` makes of a file or folder. Set it aside when it cannot be read, so that its job makes it again.

    Raises:
        ResultError: the file is missing or damaged.
    """
    try:
        return read(path)
    except FileNotFoundError:
        raise ResultError(f"{path} is missing. {REMEDY}") from None
    except PermissionError as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    except Exception as error:  # readers of JSON, Parquet and Zarr raise many kinds for files that are cut short
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ResultError(f"{path} is damaged ({why}). It is now {aside.name}. {REMEDY}") from error


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    replace_file(path, lambda unfinished: frame.to_parquet(unfinished, index=False, compression="zstd"))


def write_csv(path: Path, frame: "pd.DataFrame") -> None:
    replace_file(path, lambda unfinished: frame.to_csv(unfinished, index=False))
