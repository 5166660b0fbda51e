"""Samplers are imported by kind: the code of a job holds the sampler that its study uses, and no other."""

import pytest
from pydantic import TypeAdapter

from ontogeny.config.samplers import Sampler
from ontogeny.pipeline.fingerprint import imports
from ontogeny.sampling.kernels.build import build_sampler, kernel_module

KINDS = ["sgld", "rmsprop_sgld", "sghmc", "sgnht", "mala"]


def reached(*modules: str) -> set[str]:
    """The modules of the package that modules import, however deep."""
    found, waiting = set(), list(modules)
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += imports(module)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_config_has_a_sampler(kind):
    section = TypeAdapter(Sampler).validate_python({"kind": kind}).model_dump()
    sampler = build_sampler(section)
    assert type(sampler).__module__ == f"ontogeny.{kernel_module(kind)}"
    assert sampler.step_size == (None if section["step_size"] == "auto" else section["step_size"])


@pytest.mark.parametrize(("job", "own"), [("jobs.sample", set()), ("jobs.calibrate", {"mala"})])
def test_a_job_depends_on_its_own_sampler_only(job, own):
    modules = reached(job, kernel_module("sgld"))
    assert {kind for kind in KINDS if kernel_module(kind) in modules} == {"sgld"} | own


def test_an_estimate_depends_on_nothing_that_draws():
    modules = reached("estimates.llc")
    assert {"sampling.draws", "sampling.diagnostics"} <= modules
    assert not modules & {"sampling.program", "sampling.chains", "sampling.calibration.curvature", *map(kernel_module, KINDS)}
