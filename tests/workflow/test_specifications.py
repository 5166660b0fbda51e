"""A job reads its specification from a file, which holds what Snakemake records and is written when the job runs."""

import ast
import json
import os
from pathlib import Path

import pytest
from small_study import ROOT, Study, make_study

PLUGIN = '''\
"""An executor whose jobs are Snakemake processes of their own, as on a cluster; config.yaml changes before each starts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

common_settings = CommonSettings(non_local_exec=True, implies_no_shared_fs=False, job_deploy_sources=False,
                                 pass_default_storage_provider_args=True, pass_default_resources_args=True,
                                 pass_envvar_declarations_to_cmd=False, auto_deploy_default_storage_provider=False,
                                 init_seconds_before_status_checks=0)


class Executor(RemoteExecutor):
    def __post_init__(self):
        self.next_seconds_between_status_checks = 1

    def run_job(self, job):
        config = Path("config.yaml")
        config.write_text(config.read_text().replace("steps: 200", "steps: 300"))
        process = subprocess.Popen(self.format_job_exec(job), shell=True)
        self.report_job_submission(SubmittedJobInfo(job, aux={"process": process}))

    async def check_active_jobs(self, active_jobs):
        for info in active_jobs:
            status = info.aux["process"].poll()
            if status is None:
                yield info
            elif status:
                self.report_job_error(info)
            else:
                self.report_job_success(info)

    def cancel_jobs(self, active_jobs):
        for info in active_jobs:
            info.aux["process"].kill()
'''


def recorded(folder: Path) -> dict[Path, str]:
    """Return log -> the specification that Snakemake recorded, of every job that has run."""
    records = [json.loads(path.read_text()) for path in (folder / ".snakemake" / "metadata").rglob("*") if path.is_file()]
    return {folder / record["log"][0]: ast.literal_eval(record["params"][0]) for record in records if record["log"]}


def test_a_dry_run_writes_no_file(tmp_path):
    study = make_study(tmp_path)
    study.planned()
    assert not (tmp_path / "results").exists()


def test_every_job_has_the_specification_that_is_recorded_beside_its_log(finished):
    logs = recorded(finished.folder)
    assert len(logs) == 21
    files = {path: path.read_text() for path in finished.folder.rglob("*.specification.json")}
    assert sorted(files.values()) == sorted(logs.values())
    assert {path.parent for path in files} == {log.parent for log in logs}


@pytest.mark.end_to_end
def test_a_specification_may_be_longer_than_an_argument(copied):
    copied.edit("  toy:\n", f"  toy:\n    description: {'long words ' * 14_000}\n")
    copied.snakemake()
    files = [copied.folder / "results" / name for name in ("toy/family_page", "report/index_page")]
    assert all(Path(f"{file}.specification.json").stat().st_size > 131_072 for file in files)
    assert "long words" in (copied.folder / "results" / "toy" / "report.html").read_text()


@pytest.mark.end_to_end
def test_a_job_that_fails_shows_no_specification(copied):
    (copied.folder / "mine.py").write_text("import sys\nsys.exit(2)\nNet = 1\n")
    copied.edit("model: {kind: superposition, start: {polygon: 4, noise: 0.05}}", "model: {kind: mine.py:Net}")
    done = copied.snakemake("toy", "--show-failed-logs", check=False)
    output = done.stdout + done.stderr
    assert done.returncode and "mine.py fails on import: SystemExit: 2 (line 2: sys.exit(2))" in output
    assert '"lanes"' not in output and "train.specification.json" in output


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "targets",
    [
        ("--until", "train"),
        pytest.param(("--until", "observe", "--groups", "train=both", "observe=both"), marks=pytest.mark.end_to_end),
    ],
    ids=("alone", "grouped"),
)
def test_a_cluster_job_gets_what_was_recorded_although_config_yaml_has_changed(tmp_path, monkeypatch, targets):
    study = make_study(tmp_path / "study")
    (tmp_path / "snakemake_executor_plugin_apart").mkdir()
    (tmp_path / "snakemake_executor_plugin_apart" / "__init__.py").write_text(PLUGIN)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    study.snakemake("toy", "--executor", "apart", "--jobs", "2", *targets)
    assert "steps: 300" in (study.folder / "config.yaml").read_text()
    jobs = study.folder / "results" / "toy" / "base" / "jobs" / "seeds~0-7"
    manifest = json.loads((study.folder / "results" / "toy" / "base" / "seed~0" / "manifest" / "train.json").read_text())
    run = json.loads((study.folder / "results" / "toy" / "base" / "seed~0" / "run.json").read_text())
    assert manifest["specification"]["training"]["steps"] == run["steps"][-1] == 200
    assert recorded(study.folder)[jobs / "train.log"] == (jobs / "train.specification.json").read_text()


SNAKEFILE = f"""\
include: "{ROOT}/workflow/rules/common.smk"

rule all:
    default_target: True
    input:
        lambda wildcards: "{{}}/toy/base/late.txt".format(checkpoints.windows.get() and RESULTS),

checkpoint windows:
    output:
        "windows.txt",
    shell:
        "touch {{output}}"

rule late:
    output:
        RESULTS + "/{{family}}/{{variant}}/late.txt",
    params:
        specification=specification("consensus"),
    shell:
        "cp " + RESULTS + "/{{wildcards.family}}/{{wildcards.variant}}/jobs/consensus.specification.json {{output}}"
"""


@pytest.mark.end_to_end
def test_a_job_that_a_checkpoint_adds_has_its_file(tmp_path):
    study = make_study(tmp_path / "study")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    Study(study.folder, code=tmp_path).snakemake()
    files = [path.name for path in study.folder.rglob("*.specification.json")]
    assert files == ["consensus.specification.json"]
    assert json.loads((study.folder / "results" / "toy" / "base" / "late.txt").read_text())["seeds"] == [0, 1]


@pytest.mark.end_to_end
def test_the_last_job_of_five_thousand_variants_starts(tmp_path):
    study = make_study(tmp_path)
    study.edit("  toy:\n", f"  toy:\n    sweep: {{llc.inverse_temperature: {list(range(1000, 6000))}}}\n")
    for family in ("toy", "induction"):
        (tmp_path / "results" / family).mkdir(parents=True)
        (tmp_path / "results" / family / "report.html").touch()
    study.snakemake("--force", "results/report/index.html", "--allowed-rules", "index_page", check=False)
    assert (tmp_path / "results" / "report" / "index_page.specification.json").stat().st_size > 131_072
    # It has read the specification when it looks for the first run, which is not there.
    assert "results/induction/base/seed~0/trajectory.parquet" in (tmp_path / "results" / "report" / "index_page.log").read_text()
