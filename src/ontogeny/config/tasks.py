"""The tasks of config.yaml: `task:` of a family, and the same task with other data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ontogeny.config.kinds import UserKind, kind_tag
from ontogeny.config.section import Count, Positive, Section, Seed, Share


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


SAME_NETWORK = {
    "sparse_features": ("examples", "seed"),
    "text": ("corpus", "repeat", "examples", "seed"),
    "linear_teacher": ("rank", "scale", "examples", "seed"),
    "modular_addition": ("share", "seed"),
}
"""The keys of a task that give other examples for the same network."""


def with_other_data(task: Task, other: Mapping[str, Any]) -> Task:
    """The task with some keys changed, read by the vocabulary of the first.

    Raises:
        ValidationError: a value is not allowed.
    """
    changed = task.model_dump(exclude_unset=True) | dict(other)
    if isinstance(task, Text) and task.tokenizer == "bpe" and "corpus" in other:
        changed["tokenizer_corpus"] = task.tokenizer_corpus or task.corpus
    return type(task).model_validate(changed)
