"""Samplers by the names that config.yaml calls them."""

from collections.abc import Mapping
from typing import Any

from ontogeny.sampling.kernels.kernel import Kernel
from ontogeny.sampling.kernels.mala import MALA
from ontogeny.sampling.kernels.rmsprop_sgld import RMSPropSGLD
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD
from ontogeny.sampling.kernels.sgnht import SGNHT

KINDS = {"sgld": SGLD, "rmsprop_sgld": RMSPropSGLD, "sghmc": SGHMC, "sgnht": SGNHT, "mala": MALA}


def build_sampler(section: Mapping[str, Any]) -> Kernel:
    """The sampler of a section of config.yaml or calibration.json: its `kind`, and its numbers by their names."""
    return KINDS[section["kind"]](**{name: value for name, value in section.items() if name != "kind"})
