"""Reading and writing the files of the results: whole or not at all."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file so that a reader, or an interruption, sees the old one or the new one and nothing between."""
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
    """JSON for people and programs: indented, NaN and infinities as null."""
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
    return json.loads(path.read_text())


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    replace_file(path, lambda unfinished: frame.to_parquet(unfinished, index=False, compression="zstd"))


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    replace_file(path, lambda unfinished: frame.to_csv(unfinished, index=False))
