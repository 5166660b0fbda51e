"""Rows of the detection limit: what each curve of each run showed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Rows = Sequence[Mapping[str, Any]]


def chosen(rows: Rows, **values: Any) -> Rows:
    """Return the rows that have these values."""
    return [row for row in rows if all(row.get(name) == value for name, value in values.items())]


def recall(rows: Rows) -> float:
    """Return the share of rows whose transition was found."""
    return float(np.mean([row["found"] for row in rows]))


def exact_steps(rows: Rows) -> dict[int, float]:
    """Return size -> the mean step of E λ̂ on uniform weights, by increasing size."""
    sampled = chosen(rows, curve="llc", null=False)
    return {
        size: float(np.mean([row["exact_step"] for row in chosen(sampled, size=size)]))
        for size in sorted({row["size"] for row in sampled})
    }
