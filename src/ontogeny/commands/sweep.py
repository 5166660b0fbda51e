"""`ontogeny sweep FAMILY`: sample three checkpoints over a grid of steps, nβ and γ, and write the page that recommends a set."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ontogeny.commands.parser import CONFIG, did_you_mean

EPILOG = (
    "Every option that is not named here goes to Snakemake; `--cores all` is the default. "
    "`llc.sweep` of the family says which values are tried. Nothing of the config is changed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("family", metavar="FAMILY", help="a family of the study")
    parser.add_argument("--variant", help="a variant of the family; the first by default")
    parser.add_argument("--configfile", type=Path, metavar="FILE", default=CONFIG, help="the study; config.yaml by default")


def run_with(arguments: Sequence[str]) -> int:
    """Run Snakemake for the page of a sweep, and return its exit status.

    Raises:
        SpecificationError: the study cannot be run, or has no such family or variant.
    """
    parser = argparse.ArgumentParser(prog="ontogeny sweep", description=__doc__, allow_abbrev=False)
    add_arguments(parser)
    given, options = parser.parse_known_args(arguments)
    return subprocess.call([sys.executable, "-m", "snakemake", *snakemake_options(given, options)])


def snakemake_options(given: argparse.Namespace, options: Sequence[str]) -> list[str]:
    """Return what Snakemake is called with: the page first, since options of Snakemake may take any number of words."""
    from ontogeny.commands.workflow import snakefile

    made = [page_of(given.configfile, given.family, given.variant)]
    if not {"-s", "--snakefile"} & set(options) and not Path("Snakefile").exists():
        made += ["--snakefile", str(snakefile())]
    if given.configfile != CONFIG:
        made += ["--configfile", str(given.configfile), "--replace-workflow-config"]
    cores = any(option.split("=")[0] in ("-c", "--cores", "--executor", "-e", "--profile") for option in options)
    return [*made, *([] if cores else ["--cores", "all"]), *options]


def page_of(configfile: Path, family: str, variant: str | None) -> str:
    """Return the path of the page of a family's variant.

    Raises:
        SpecificationError: the study cannot be run, or has no such family or variant.
    """
    from ontogeny.config.reading import read_study
    from ontogeny.errors import SpecificationError
    from ontogeny.pipeline.plan import Plan

    plan = Plan(*read_study(configfile), configfile.parent)
    if family not in plan.by_family:
        hint = did_you_mean(family, list(plan.by_family)) or f" It has {', '.join(plan.by_family)}."
        raise SpecificationError(f"The study has no family {family!r}.{hint}")
    variants = {member.name: member for member in plan.by_family[family]}
    chosen = variants.get(variant or next(iter(variants)))
    if chosen is None:
        raise SpecificationError(f"{family} has no variant {variant!r}. It has {', '.join(variants)}.")
    return f"{plan.folder(chosen)}/sweep.html"
