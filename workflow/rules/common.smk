# The study behind config.yaml, validated before any job starts, and what the rules ask of it.
import atexit
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from ontogeny.devices import prepare_jobs
from ontogeny.runs import Plan
from ontogeny.study import ConfigError, validate_study

prepare_jobs()

CONFIGFILE = Path(workflow.configfiles[-1])
if len({Path(file).resolve() for file in workflow.configfiles}) > 1:
    raise WorkflowError(
        f"{CONFIGFILE} would be merged into {workflow.configfiles[0]}, families and all; give --replace-workflow-config "
        "beside --configfile"
    )
try:
    PLAN = Plan(*validate_study(config, CONFIGFILE), CONFIGFILE.parent)
except ConfigError as error:
    raise WorkflowError(str(error))

RESULTS = PLAN.study.results
INDEX = f"{RESULTS}/report/index.html"


wildcard_constraints:
    family="[^/]+",
    variant="[^/]+",
    block="seeds?~[0-9-]+",


def name_index():
    """Name the page to open, as the very last line: Snakemake has its own to say after `onsuccess`."""
    if Path(INDEX).exists():
        atexit.register(
            print, f"The study is done. Open {INDEX} in a browser.", flush=True
        )


def specification(stage):
    """The canonical JSON of all that a job of a stage depends on, and nothing else."""

    def of(wildcards):
        named = dict(wildcards.items())
        return PLAN.specification(
            stage,
            named.get("family", ""),
            named.get("variant", ""),
            named.get("block", ""),
        )

    return of


def manifests(stage):
    """The manifests of a stage over all blocks of a variant."""
    return lambda wildcards: PLAN.manifests(
        PLAN.variant(wildcards.family, wildcards.variant), stage
    )


def first_manifest(stage):
    """The manifest of a stage for the block with the first seed of a variant, which calibration is made on."""
    return lambda wildcards: PLAN.first_manifest(
        PLAN.variant(wildcards.family, wildcards.variant), stage
    )


def of_variants(file):
    """A file of every variant of a family."""
    return lambda wildcards: [
        f"{PLAN.folder(variant)}/{file}"
        for variant in PLAN.variants_of(wildcards.family)
    ]


def posteriors(wildcards):
    """The posteriors of the variants of a family that are sampled while n grows."""
    return PLAN.posteriors(wildcards.family)


def command(stage, *names):
    """The shell command of a stage; `names` are what tells its jobs apart. It prints and keeps what the job says."""
    told = {"base": shlex.quote(str(PLAN.base))}
    options = "".join(
        f" --{name} {told.get(name, f'{{wildcards.{name}:q}}')}" for name in names
    )
    return (
        f"python -m ontogeny {stage} --results {shlex.quote(RESULTS)}{options} --threads {{threads}}"
        " --specification {params.specification:q} 2>&1 | tee {log:q}"
    )
