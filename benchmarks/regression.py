"""How many times as fast as the straightforward program ontogeny is, beside the ratios that the repository keeps of earlier code.

Ratios carry between machines better than seconds do. `python -m benchmarks.speed --store` writes benchmarks/regression.json;
without the option the same command compares with it, and marks what fell by more than noise. It never fails.
"""

import json
import os
import statistics
from datetime import date
from pathlib import Path
from typing import Any

STORED = Path(__file__).with_suffix(".json")
BAND = 0.2
"""A ratio counts as slower where it falls by more than this share of the stored one; noise stays below (docs/performance.md)."""

Ratios = dict[str, dict[str, list[float]]]


def ratios(rows: list[dict[str, Any]]) -> Ratios:
    """Work -> figure -> ontogeny's speed in units of the straightforward program's, in each round.

    Args:
        rows: measurements of `benchmarks.speed`, in the order they were made; those on all cores are left out.
    """
    found: Ratios = {}
    for work in dict.fromkeys(row["work"] for row in rows):
        of_work = [row for row in rows if row["work"] == work and row["cores"] == "one"]
        ours, theirs = ([row for row in of_work if row["program"] == name] for name in ("ontogeny", "straightforward"))
        pairs = list(zip(ours, theirs, strict=False))  # of a round that was cut short, one is missing
        if pairs:
            found[work] = {
                "whole process": [other["whole_process"] / own["whole_process"] for own, other in pairs],
                "steps": [own["steps_per_second"] / other["steps_per_second"] for own, other in pairs],
            }
    return found


def store(measured: Ratios, code: str) -> None:
    """Keep the medians over rounds, and how far single rounds lay from them.

    Raises:
        SystemExit: neither program, or only one of them, was measured.
    """
    from ontogeny.pipeline.provenance import processor

    if not measured:
        raise SystemExit("--store needs both programs, ontogeny and straightforward, measured on one core")
    kept = {
        work: {
            figure: {"ratio": round(statistics.median(each), 3), "lowest": round(min(each), 3), "highest": round(max(each), 3)}
            for figure, each in figures.items()
        }
        for work, figures in measured.items()
    }
    rounds = min(len(each) for figures in measured.values() for each in figures.values())
    machine = f"{processor()}, {os.cpu_count()} cores"
    told = {"code": code, "date": date.today().isoformat(), "machine": machine, "rounds": rounds, "ratios": kept}
    STORED.write_text(json.dumps(told, indent=1) + "\n")


def comparison(measured: Ratios, code: str, stored: dict[str, Any]) -> str:
    """Markdown: stored and measured ratios of every work that both have, the change, and a mark where it is beyond the band."""
    lines = [
        f"Speed in units of the straightforward program's. Stored: code {stored['code']}, {stored['date']}, {stored['machine']}, "
        f"medians of {stored['rounds']} rounds; now: code {code}.",
        "",
        "| work | figure | stored (lowest to highest round) | now | change | |",
        "|---|---|---|---|---|---|",
    ]
    for work in (work for work in measured if work in stored["ratios"]):
        for figure, each in measured[work].items():
            before, now = stored["ratios"][work][figure], statistics.median(each)
            change = now / before["ratio"] - 1
            mark = f"**slower than stored by more than {100 * BAND:.0f}%**" if change < -BAND else ""
            spread = f"{before['lowest']:.2f} to {before['highest']:.2f}"
            lines.append(f"| {work} | {figure} | {before['ratio']:.2f} ({spread}) | {now:.2f} | {100 * change:+.0f}% | {mark} |")
    return "\n".join(lines)
