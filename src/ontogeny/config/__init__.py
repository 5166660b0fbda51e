"""What config.yaml may say: every key with its type, default and bound. This package imports no JAX.

Every section of a family has its own module. The names below are the sections that jobs read back from their specifications.
"""

from ontogeny.config.kinds import OBSERVABLES, UserKind
from ontogeny.config.llc import LocalLearningCoefficient, PerExample, Refine
from ontogeny.config.models import MLP, Linear, Model, Superposition, Transformer
from ontogeny.config.phases import Posterior
from ontogeny.config.tasks import LinearTeacher, ModularAddition, SparseFeatures, Task, Text
from ontogeny.config.training import Checkpoints, Schedule, Training
from ontogeny.config.transitions import Transitions

__all__ = [
    "MLP",
    "OBSERVABLES",
    "Checkpoints",
    "Linear",
    "LinearTeacher",
    "LocalLearningCoefficient",
    "Model",
    "ModularAddition",
    "PerExample",
    "Posterior",
    "Refine",
    "Schedule",
    "SparseFeatures",
    "Superposition",
    "Task",
    "Text",
    "Training",
    "Transformer",
    "Transitions",
    "UserKind",
]
