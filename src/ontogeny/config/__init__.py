"""What config.yaml may say: every key with its type, default and bound. This package imports no JAX.

Every section of a family has its own module. The names below are the sections that jobs read back from their specifications.
"""

from ontogeny.config.cards import ModelSection, TaskSection
from ontogeny.config.kinds import Model, Task, UserKind
from ontogeny.config.llc import LocalLearningCoefficient, PerExample, Refine
from ontogeny.config.models.linear import Linear
from ontogeny.config.models.linear_blocks import LinearBlocksModel
from ontogeny.config.models.mlp import MLP
from ontogeny.config.models.pair_transformer import PairTransformer
from ontogeny.config.models.polynomial import Polynomial as PolynomialModel
from ontogeny.config.models.superposition import Superposition
from ontogeny.config.models.transformer import Transformer
from ontogeny.config.observables import OBSERVABLES
from ontogeny.config.phases import Posterior
from ontogeny.config.pictures import PICTURES
from ontogeny.config.tasks.in_context_regression import InContextRegression
from ontogeny.config.tasks.linear_blocks import LinearBlocksTask
from ontogeny.config.tasks.linear_teacher import LinearTeacher
from ontogeny.config.tasks.markov_chains import MarkovChains
from ontogeny.config.tasks.modular_addition import ModularAddition
from ontogeny.config.tasks.polynomial import Polynomial as PolynomialTask
from ontogeny.config.tasks.sparse_features import SparseFeatures
from ontogeny.config.tasks.sparse_points import SparsePoints
from ontogeny.config.tasks.text import Text
from ontogeny.config.training import Checkpoints, Schedule, Training
from ontogeny.config.transitions import Transitions

__all__ = [
    "MLP",
    "OBSERVABLES",
    "PICTURES",
    "Checkpoints",
    "InContextRegression",
    "Linear",
    "LinearBlocksModel",
    "LinearBlocksTask",
    "LinearTeacher",
    "LocalLearningCoefficient",
    "MarkovChains",
    "Model",
    "ModelSection",
    "ModularAddition",
    "PairTransformer",
    "PerExample",
    "PolynomialModel",
    "PolynomialTask",
    "Posterior",
    "Refine",
    "Schedule",
    "SparseFeatures",
    "SparsePoints",
    "Superposition",
    "Task",
    "TaskSection",
    "Text",
    "Training",
    "Transformer",
    "Transitions",
    "UserKind",
]
