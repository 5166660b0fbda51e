# The study of config.yaml, validated before any job starts, and the functions that the rules call.
import atexit
import logging
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from ontogeny.pipeline import results_lock
from ontogeny.pipeline.devices import prepare_jobs
from ontogeny.pipeline.manifests import damaged_jobs
from ontogeny.errors import SpecificationError
from ontogeny.pipeline.plan import Plan
from ontogeny.pipeline.status import outputs_to_make_again
from ontogeny.config.job_names import KINDS
from ontogeny.config.reading import ConfigError, load, validate_study
from ontogeny.report.assets import plotly_address

prepare_jobs()

# `--configfile` comes first in workflow.configfiles, and the Snakefile's own config.yaml last.
GIVEN = [Path(file) for file in workflow.overwrite_configfiles]
CONFIGFILE = GIVEN[-1] if GIVEN else Path("config.yaml")
try:
    # Snakemake reads the file as well, but it takes duplicate keys and ends in a traceback where YAML is nested too deeply.
    load(CONFIGFILE)
except ConfigError as error:
    raise WorkflowError(str(error))


configfile: "config.yaml"


if not workflow.config_settings.replace_workflow_config:
    for file in map(Path, workflow.configfiles):
        if file.resolve() != CONFIGFILE.resolve():
            raise WorkflowError(
                f"{CONFIGFILE} would be merged into {file}, families and all: give --replace-workflow-config with --configfile"
            )
try:
    PLAN = Plan(*validate_study(config, CONFIGFILE), CONFIGFILE.parent)
except ConfigError as error:
    raise WorkflowError(str(error))

RESULTS = PLAN.study.results
INDEX = f"{RESULTS}/report/index.html"
PLOTLY = f"{RESULTS}/{plotly_address()}"


wildcard_constraints:
    family="[^/]+",
    variant="[^/]+",
    block="seeds?~[0-9-]+",


def lock_results():
    """Lock the results folder while jobs run."""
    try:
        results_lock.hold(Path(RESULTS))
    except SpecificationError as error:
        raise WorkflowError(str(error))


def announce_jobs():
    """Tell `ontogeny run`, where it started this process, all jobs that will run."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name in KINDS]
    names = ("family", "variant", "block")
    found = [
        (job.rule.name, *(job.wildcards_dict.get(name, "") for name in names))
        for job in jobs
    ]
    logging.getLogger("ontogeny.jobs").info(
        "jobs to run", extra={"jobs": found, "cores": workflow.cores}
    )


def name_index():
    """Name the page to open in the very last line: Snakemake prints more after `onsuccess`."""
    if "ontogeny" in workflow.output_settings.log_handler_settings:
        return  # `ontogeny run` says it
    families = sorted(set(workflow.dag_settings.targets) & set(PLAN.study.families))
    swept = [
        page
        for page in workflow.dag_settings.targets
        if Path(page).name == "sweep.html"
    ]
    page = f"{RESULTS}/{families[0]}/report.html" if families else INDEX
    done = f"{', '.join(families)}: done." if families else "The study is done."
    if swept:
        page, done = swept[0], "The sweep is done."
    if Path(page).exists():
        atexit.register(print, f"{done} Open {page} in a browser.", flush=True)


@cache
def canonical_json(*job):
    """Return the canonical JSON of all that a job depends on. The cache makes what jobs get equal to what is recorded."""
    return PLAN.specification(*job)


def runs_jobs():
    """Return whether this process starts jobs: it is no dry run, no --touch, and no job of another Snakemake process."""
    return (
        workflow.is_main_process
        and workflow.scheduler is not None
        and not (workflow.dryrun or workflow.touch)
    )


def specification(kind):
    """Return the parameter that says all that a job depends on, and nothing else.

    Snakemake reruns a job when this text changes. A shell command cannot hold it, since an argument is limited to 128 kB, so
    the command names a file. Snakemake evaluates the parameters of a job once more before it starts the job; the file is
    written then. The jobs' own Snakemake processes on a cluster write nothing: a job reads what the main process recorded,
    also if config.yaml has changed since.
    """

    def of(wildcards):
        if not workflow.is_main_process:
            return ""
        named = dict(wildcards.items())
        job = (kind, *(named.get(name, "") for name in ("family", "variant", "block")))
        text = canonical_json(*job)
        if runs_jobs():
            file = Path(RESULTS) / PLAN.specification_file(*job)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return text

    return of


SCOPES = {
    "study": ("report", ()),
    "family": ("{family}", ("family",)),
    "variant": ("{family}/{variant}/jobs", ("family", "variant")),
    "block": ("{family}/{variant}/jobs/{block}", ("family", "variant", "block")),
}


def of_family(file):
    return f"{RESULTS}/{{family}}/{file}"


def of_variant(file):
    return f"{RESULTS}/{{family}}/{{variant}}/{file}"


def manifest(kind):
    """Return the declared output of a kind of job that works on a block or a variant."""
    return f"{RESULTS}/{SCOPES[KINDS[kind].scope][0]}/{kind}.json"


def log_of(kind):
    return f"{RESULTS}/{SCOPES[KINDS[kind].scope][0]}/{kind}.log"


def input_function(function):
    """Let an input function ask for repairs first: Snakemake has then begun its graph of jobs, and not yet chosen which run."""

    def of(wildcards):
        if workflow.is_main_process:
            rerun_damaged_jobs()
        return function(wildcards)

    return of


def made_by(kind):
    """Return the input function for the declared output of a kind of job."""
    return input_function(
        lambda wildcards: manifest(kind).format(**dict(wildcards.items()))
    )


def manifests(kind):
    """Return the input function for the manifests of a kind of job over all blocks of a variant."""
    return input_function(
        lambda wildcards: PLAN.manifests(
            PLAN.variant(wildcards.family, wildcards.variant), kind
        )
    )


def first_manifest(kind):
    """Return the input function for the manifest of the block with the first seed, which calibration uses."""
    return input_function(
        lambda wildcards: PLAN.first_manifest(
            PLAN.variant(wildcards.family, wildcards.variant), kind
        )
    )


def of_variants(file):
    """Return the input function for a file of every variant of a family."""
    return input_function(
        lambda wildcards: [
            f"{PLAN.folder(variant)}/{file}"
            for variant in PLAN.by_family[wildcards.family]
        ]
    )


def manifests_of_variants(kind):
    """Return the input function for the manifests of a kind of job over all blocks of all variants of a family."""
    return input_function(
        lambda wildcards: [
            path
            for variant in PLAN.by_family[wildcards.family]
            for path in PLAN.manifests(variant, kind)
        ]
    )


def along_of_family(wildcards):
    """Return the consensus of a family's trajectories along the key that it sweeps, if it says `along:`."""
    return PLAN.along(wildcards.family)


def phases_of_family(wildcards):
    """Return the results of the variants of a family whose whole posterior is sampled while n grows."""
    return PLAN.phases(wildcards.family)


def sensitivity_of_variant(wildcards):
    """Return the sensitivity of a variant's λ̂ to its settings, unless its family says `sensitivity: off`."""
    variant = PLAN.variant(wildcards.family, wildcards.variant)
    return (
        [f"{PLAN.folder(variant)}/sensitivity.json"]
        if variant.family.llc.sensitivity
        else []
    )


def command(kind):
    """Return the shell command of a kind of job, which prints the job's output and keeps it in the log."""
    values = {name: f"{{wildcards.{name}:q}}" for name in SCOPES[KINDS[kind].scope][1]}
    options = "".join(f" --{name} {value}" for name, value in values.items())
    results, base = shlex.quote(RESULTS), shlex.quote(str(PLAN.base))
    return (
        f"python -m ontogeny {kind} --results {results} --base {base}{options} --threads {{threads}}"
        f" --specification {results}/{PLAN.specification_file(kind, **values)} 2>&1 | tee {{log:q}}"
    )


@cache
def rerun_damaged_jobs():
    """Let Snakemake run again what was interrupted or began with another specification, and name what is damaged."""
    damaged = damaged_jobs(PLAN)
    for why in damaged.values():
        print(f"{why}: its job runs again.", file=sys.stderr, flush=True)
    workflow.dag.forcefiles.update(damaged, outputs_to_make_again(PLAN))
