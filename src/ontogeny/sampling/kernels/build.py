"""Samplers by the names that config.yaml gives them.

A kind is the name of a module here, imported only when a study uses it: an edit of one sampler resamples no study of another.
`build` in the module makes the sampler from its numbers. This module itself imports no JAX, since planning names the modules.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.sampling.kernels.kernel import Kernel


def kernel_module(kind: str) -> str:
    """Return the module of a kind of sampler, as a dotted name below `ontogeny`; a job's code digest names it."""
    return f"sampling.kernels.{kind}"


def build_sampler(section: Mapping[str, Any]) -> "Kernel":
    """Return the sampler of a section of config.yaml or calibration.json: its `kind`, and its numbers by their names."""
    numbers = {name: value for name, value in section.items() if name != "kind"}
    return import_module(f"ontogeny.{kernel_module(section['kind'])}").build(**numbers)
