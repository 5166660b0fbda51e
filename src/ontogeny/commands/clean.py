"""`ontogeny clean`: list results that the study no longer has; with `--yes`, remove them."""

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.commands.parser import add_study, study_file
from ontogeny.commands.status import folder_size

if TYPE_CHECKING:
    from ontogeny.config.reading import Variant
    from ontogeny.pipeline.plan import Plan

SHARED = ("report",)
"""Folders of the results that belong to no family."""
ALONG = "along"
"""The folder of a family's trajectories along the key that it sweeps."""
ASSETS = Path("report", "assets")
"""The folder of the results that holds what pages share."""
LEFT_BEHIND = re.compile(r".+\.damaged|\.\d+\..+")
"""Files that were set aside because they were damaged, and files that were never finished."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    parser.epilog = (
        "Results of another study in the same folder are listed too: give each study a folder of its own by `results:`."
    )


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.config.reading import read_study
    from ontogeny.errors import SpecificationError
    from ontogeny.pipeline.plan import Plan
    from ontogeny.pipeline.results_lock import holder

    file = study_file(arguments)
    plan = Plan(*read_study(file), file.parent)
    found = list(leftovers(plan))
    for path, why in found:
        print(f"{size(path) / 1e6:8.1f} MB  {path}  ({why})")
    if not found:
        print(f"{plan.study.results}/ holds nothing that the study does not have.")
        return 0
    total = sum(size(path) for path, _ in found) / 1e6
    if not arguments.yes:
        print(f"{total:8.1f} MB  in all. `ontogeny clean --yes` removes these.")
        return 0
    if other := holder(Path(plan.study.results)):
        raise SpecificationError(f"{plan.study.results} is in use by a study in {other['folder']}: clean it when that has ended")
    for path, _ in found:
        remove(path)
    print(f"{total:8.1f} MB  removed.")
    return 0


def leftovers(plan: "Plan") -> Iterator[tuple[Path, str]]:
    """Yield what the study no longer has, outermost folders only, and why. Folders that are not of ontogeny are left out."""
    results = Path(plan.study.results)
    for family in folders(results):
        if family.name in SHARED:
            yield from stale_files(family)
            yield from unread_assets(results)
        elif family.name in plan.by_family:
            yield from leftovers_of_family(plan, family)
        elif any(map(is_variant, folders(family))):
            yield family, "no such family"


def unread_assets(results: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that pages share, such as plotly.js of an earlier version, that no page reads any more."""
    assets = [path for path in sorted((results / ASSETS).glob("*")) if path.is_file() and not LEFT_BEHIND.fullmatch(path.name)]
    pages = [page.read_text(encoding="utf-8", errors="replace") for page in results.rglob("*.html")] if assets else []
    yield from ((path, "no page reads it") for path in assets if not any(path.name in page for page in pages))


def leftovers_of_family(plan: "Plan", folder: Path) -> Iterator[tuple[Path, str]]:
    own = {variant.name: variant for variant in plan.by_family[folder.name]}
    for path in folders(folder):
        if path.name in own:
            yield from leftovers_of_variant(own[path.name], path)
        elif path.name == ALONG and plan.along(folder.name):
            seeds = {f"seed~{seed}" for variant in own.values() for seed in variant.seeds}
            yield from ((seed, "no such seed") for seed in folders(path) if seed.name not in seeds)
            yield from stale_files(path)
        elif is_variant(path):
            yield path, "no such variant"


def leftovers_of_variant(variant: "Variant", folder: Path) -> Iterator[tuple[Path, str]]:
    from ontogeny.pipeline.plan import blocks

    seeds = {f"seed~{seed}" for seed in variant.seeds}
    names = {block.name for block in blocks(variant)}
    for path in folders(folder):
        if path.name.startswith("seed~") and path.name not in seeds:
            yield path, "no such seed"
        elif path.name != "jobs":
            yield from stale_files(path)
    yield from ((path, "no such block of seeds") for path in folders(folder / "jobs") if path.name not in names)
    yield from ((path, why) for path, why in stale_files(folder, deep=False))


def stale_files(folder: Path, deep: bool = True) -> Iterator[tuple[Path, str]]:
    """Yield files that were set aside or never finished, of a folder and of those below it."""
    for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
        if LEFT_BEHIND.fullmatch(path.name):
            yield path, "set aside because it was damaged" if path.name.endswith(".damaged") else "never finished"


def folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, links left out."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()) if folder.is_dir() else []


def is_variant(folder: Path) -> bool:
    """Return whether a folder looks like the results of a variant."""
    return (folder / "jobs").is_dir() or any(path.name.startswith("seed~") for path in folders(folder))


def size(path: Path) -> int:
    return folder_size(path) if path.is_dir() else path.stat().st_size


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
