"""Settings of processes are made before JAX is imported, so each is tried in a process of its own."""

import os
import subprocess
import sys

import pytest


def environment_after(code: str, **environment: str) -> str:
    told = "os.environ.get('PYTHONPYCACHEPREFIX'), os.environ.get('JAX_NUM_CPU_DEVICES'), os.environ.get('XLA_FLAGS')"
    code = f"import os; from ontogeny.pipeline import devices; {code}; print({told})"
    keep = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run([sys.executable, "-c", code], env=keep, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(("forbidden", "kept"), [({"PYTHONDONTWRITEBYTECODE": "1"}, "/cache/ontogeny/bytecode"), ({}, "None")])
def test_bytecode_is_kept_elsewhere_where_it_is_forbidden(forbidden, kept):
    assert environment_after("devices.keep_bytecode()", XDG_CACHE_HOME="/cache", **forbidden).startswith(kept)


def test_what_the_user_set_stands():
    assert environment_after("devices.prepare()", XLA_FLAGS="--mine").endswith("--mine")
    assert environment_after("devices.prepare(threads=2)", JAX_NUM_CPU_DEVICES="3").split()[1] == "3"


def test_every_thread_of_a_job_is_a_device():
    assert environment_after("devices.prepare(threads=2)").split()[1] == "2"
