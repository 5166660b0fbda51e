# The study behind config.yaml, validated before any job starts, and what the rules ask of it.
import atexit
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from ontogeny.pipeline.devices import prepare_jobs
from ontogeny.pipeline.plan import Plan
from ontogeny.config.reading import ConfigError, load, validate_study

prepare_jobs()

# A study given on the command line comes first in workflow.configfiles, the Snakefile's own config.yaml last.
GIVEN = [Path(file) for file in workflow.overwrite_configfiles]
CONFIGFILE = GIVEN[-1] if GIVEN else Path(workflow.configfiles[-1])
if not workflow.config_settings.replace_workflow_config:
    for file in map(Path, workflow.configfiles):
        if file.resolve() != CONFIGFILE.resolve():
            raise WorkflowError(
                f"{CONFIGFILE} would be merged into {file}, families and all: give --replace-workflow-config with --configfile"
            )
try:
    load(CONFIGFILE)  # Snakemake reads it as well, but takes a key that stands twice
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
    families = sorted(set(workflow.dag_settings.targets) & set(PLAN.study.families))
    page = f"{RESULTS}/{families[0]}/report.html" if families else INDEX
    done = f"{', '.join(families)}: done." if families else "The study is done."
    if Path(page).exists():
        atexit.register(print, f"{done} Open {page} in a browser.", flush=True)


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
