"""The command line as a whole: what it lists, what it imports, what it says of words that it does not know."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import ontogeny
from ontogeny.__main__ import main
from ontogeny.commands.parser import module
from ontogeny.commands.registry import COMMANDS
from ontogeny.config.job_names import KINDS


def test_help_lists_the_commands_and_no_job_of_the_workflow(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    listed = [line.split()[0] for line in text.splitlines() if line.startswith("    ") and line.split()]
    assert set(COMMANDS) <= set(listed) and not set(listed) & set(KINDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0 and f"usage: ontogeny {command}" in capsys.readouterr().out
    assert callable(getattr(module(command), "run_with", None) or module(command).run)


def test_no_command_is_called_as_a_job():
    assert not set(COMMANDS) & set(KINDS)


def test_the_version_is_that_of_the_installation(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"ontogeny {version('ontogeny')}\n"
    assert ontogeny.__version__ == version("ontogeny")


def test_a_word_that_is_no_command_is_answered_by_the_nearest(capsys):
    assert main(["statsu"]) == 2
    assert "ontogeny has no command 'statsu'. Did you mean status" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [(["--help"], "pydantic"), (["--version"], "pydantic"), (["status"], "numpy"), (["status"], "jax"), (["plan"], "jax")],
)
def test_a_command_imports_no_more_than_it_needs(study, arguments, unwanted):
    code = f"import sys; from ontogeny.__main__ import main\ntry: main({arguments})\nfinally: print({unwanted!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=study.path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


@pytest.mark.parametrize("command", ["plan", "status", "diff", "clean", "open"])
def test_without_a_config_the_way_on_is_told(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 1
    assert "`ontogeny init` writes one" in capsys.readouterr().err


def test_a_shell_completes_commands_and_options(study):
    pytest.importorskip("shtab")
    script = study.call("completion", "bash")
    assert all(name in script for name in COMMANDS) and "--single-file" in script and "run_pages" not in script
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_init_starts_a_study_and_overwrites_nothing(study):
    assert "Next: cd new && ontogeny run" in study.call("init", "new")
    assert "3 runs in" in study.call("plan", "new/config.yaml")
    (study.path / "new" / "config.yaml").write_text("mine")
    assert "new/config.yaml is there already" in study.call("init", "new", status=1)
    assert (study.path / "new" / "config.yaml").read_text() == "mine"


def test_init_adds_to_a_gitignore(study):
    (study.path / "new").mkdir()
    (study.path / "new" / ".gitignore").write_text("secret\n/results/")
    study.call("init", "new")
    assert (study.path / "new" / ".gitignore").read_text() == "secret\n/results/\n.snakemake/\n"
