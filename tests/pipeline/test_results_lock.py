"""Two studies may not write one results folder at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOLD = (
    "import pathlib, sys; from ontogeny.pipeline import results_lock;"
    " results_lock.hold(pathlib.Path(sys.argv[1])); print('held', flush=True)"
)


@pytest.fixture
def start(tmp_path):
    """Start a process that holds the results folder of all tests, from a working folder; it waits for its input to close."""
    processes = []

    def start(folder: str) -> subprocess.Popen[str]:
        (tmp_path / folder).mkdir(exist_ok=True)
        command = [sys.executable, "-c", f"{HOLD}; sys.stdin.read()", str(tmp_path / "results")]
        process = subprocess.Popen(
            command, cwd=tmp_path / folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def is_held(process: subprocess.Popen[str]) -> bool:
    return process.stdout.readline() == "held\n"


def test_a_second_folder_is_refused_with_the_first_ones_folder_process_and_host(start, tmp_path):
    first = start("one")
    assert is_held(first)
    second = start("two")
    assert not is_held(second)
    message = second.stderr.read().splitlines()[-1]
    assert f"{tmp_path}/results is in use by a study in {tmp_path}/one (process {first.pid} on {os.uname().nodename})" in message


def test_a_killed_process_holds_nothing(start, tmp_path):
    first = start("one")
    assert is_held(first)
    first.kill()
    first.wait()
    assert is_held(start("two"))
    assert json.loads((tmp_path / "results" / ".lock").read_text())["folder"] == str(tmp_path / "two")


def test_processes_of_one_folder_share_the_lock_until_the_last_ends(start):
    first, second = start("one"), start("one")
    assert is_held(first) and is_held(second)
    first.kill()
    first.wait()
    assert not is_held(start("two"))


def test_a_child_process_does_not_keep_the_lock(tmp_path):
    code = f"{HOLD}; import subprocess; subprocess.Popen(['sleep', '20'])"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=Path("/"), stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    again = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert again.stdout == "held\n", again.stderr
