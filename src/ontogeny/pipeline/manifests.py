"""What jobs wrote: every manifest of a seed lists its outputs with size and digest, so that damage is seen and repaired.

Snakemake knows one declared file a block. Before it plans, `damaged_jobs` compares the sizes of all listed outputs with the
files, which takes milliseconds; a job that runs again compares their digests too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ontogeny.config.job_names import JOBS
from ontogeny.pipeline.fingerprint import bytes_digest, digest
from ontogeny.pipeline.plan import Plan, blocks

VARIANT_FILES = {
    "calibrate": "calibration.json",
    "sensitivity": "sensitivity.json",
    "sweep_cells": "sweep.json",
    "consensus": "consensus.json",
    "phases": "phases.json",
}
"""Declared outputs that are results themselves: one for each variant."""

FAMILY_FILES = {"along": "along/consensus.json", "family_page": "report.html"}
"""Declared outputs of the jobs of a family."""


def describe(folder: Path, outputs: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return size and digest of each output, by its path relative to `folder`; of a folder, the sizes of its files count."""
    return {str(path.relative_to(folder)): {"size": size_of(path), "digest": content_digest(path)} for path in outputs}


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    return sum(sizes(path).values()) if path.is_dir() else path.stat().st_size


def sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}


def content_digest(path: Path) -> str:
    """Return a digest of a file's bytes; of a folder, of the names and sizes of its files."""
    return digest(sizes(path)) if path.is_dir() else bytes_digest(path.read_bytes())


def damage(folder: Path, manifest: Mapping[str, Any], *, thorough: bool = False) -> str | None:
    """Return what is wrong with the first output of a manifest that is missing or changed; None where all are whole.

    Args:
        folder: what the paths of the outputs are relative to.
        thorough: compare digests as well as sizes.
    """
    for name, written in manifest["outputs"].items():
        path = folder / name
        if not path.exists():
            return f"{path} is missing"
        if (size := size_of(path)) != written["size"]:
            return f"{path} has {size:,} bytes; {written['size']:,} were written"
        if thorough and content_digest(path) != written["digest"]:
            return f"{path} is not what was written"
    return None


def damaged_jobs(plan: Plan) -> dict[str, str]:
    """Return the declared outputs whose jobs must run again, with what is wrong; none for jobs that have not yet run."""
    return dict(damage_of_blocks(plan)) | dict(damage_of_variants(plan)) | dict(damage_of_families(plan))


def damage_of_blocks(plan: Plan) -> Iterator[tuple[str, str]]:
    for variant in plan.variants:
        folder = Path(plan.folder(variant))
        for block in blocks(variant):
            for kind in (kind.name for kind in JOBS if kind.scope == "block" or kind.name == "run_pages"):
                declared = folder / "jobs" / ("" if kind == "run_pages" else block.name) / f"{kind}.json"
                if declared.exists() and (why := damage_of_seeds(folder, kind, listed_seeds(declared, block.seeds))):
                    yield str(declared), why


def listed_seeds(declared: Path, seeds: Iterable[int]) -> list[int]:
    """Return those of the seeds that the declared output lists; all where it cannot be read."""
    try:
        done = json.loads(declared.read_text())["digests"]
    except (OSError, ValueError, KeyError):
        return list(seeds)
    return [seed for seed in seeds if str(seed) in done]


def damage_of_seeds(folder: Path, kind: str, seeds: Iterable[int]) -> str | None:
    for seed in seeds:
        path = folder / f"seed~{seed}" / "manifest" / f"{kind}.json"
        try:
            wrong = damage(folder / f"seed~{seed}", json.loads(path.read_text()))
        except FileNotFoundError:
            return f"{path} is missing"
        except (ValueError, KeyError):
            return f"{path} is damaged"
        if wrong:
            return wrong
    return None


def damage_of_variants(plan: Plan) -> Iterator[tuple[str, str]]:
    for variant in plan.variants:
        yield from no_json(Path(plan.folder(variant)) / name for name in VARIANT_FILES.values())


def no_json(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield those of the files that are there and cannot be read as JSON."""
    for path in paths:
        try:
            json.loads(path.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            yield str(path), f"{path} is damaged"


def damage_of_families(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the trajectories along a swept key that are no longer what was written."""
    for declared in (Path(path) for family in plan.by_family for path in plan.along(family) if Path(path).exists()):
        yield from no_json([declared])
        folder = declared.parent
        if why := damage_of_seeds(folder, "along", seeds_in(folder)):
            yield str(declared), why


def seeds_in(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("seed~")) for path in folder.glob("seed~*"))
