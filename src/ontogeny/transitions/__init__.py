"""Passages between stages of development: found on curves, tested, named, and matched over seeds.

`curves` reads the trajectory table, `smoothing` holds the null hypothesis (a smooth trend), `changepoints` the
alternatives, `significance` compares them, `search` does so for a curve and `detection` for a run; `evidence` measures both
sides of a passage, `events` puts coinciding candidates together, `naming` calls them by name, `stages` describes what lies
between, `consensus` compares seeds.
"""

from ontogeny.transitions.chains import chain_covariance
from ontogeny.transitions.consensus import consensus
from ontogeny.transitions.detection import detect_transitions
from ontogeny.transitions.events import candidates
from ontogeny.transitions.evidence import critical_sample_size
from ontogeny.transitions.naming import DEFAULT_RULES, Condition, Rule

__all__ = [
    "DEFAULT_RULES",
    "Condition",
    "Rule",
    "candidates",
    "chain_covariance",
    "consensus",
    "critical_sample_size",
    "detect_transitions",
]
