"""From documents to two streams of tokens: one to train on, one held out.

Documents are cut to pieces of at most 2,000 characters first, since the time of BPE grows faster than their length.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

PIECE = 2_000
LONGEST_CORPUS = 4_000_000
"""Characters that are tokenised at most, so that making a task takes seconds whatever the corpus."""
TRAINING_SHARE = 4
"""BPE merges are learnt on one piece in this many: more text changes few merges and takes longer."""
UNKNOWN = "<unk>"

Stream = Int[np.ndarray, " tokens"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A tokenised corpus.

    Attributes:
        train: the stream that windows for training and sampling are cut from.
        held_out: a tenth of the text, in neither.
        vocabulary: the number of tokens there are; below the wanted size where the text does not yield more.
    """

    train: Stream
    held_out: Int[np.ndarray, " held_out_tokens"]
    vocabulary: int


def tokenize(
    documents: Sequence[str], *, tokenizer: str, vocabulary: int, lowercase: bool, learnt_on: Sequence[str] | None = None
) -> Tokens:
    """Split off every tenth document (of few documents: every tenth piece), then tokenise both parts.

    Args:
        tokenizer: `bpe`, learnt on the part for training, or `byte`.
        vocabulary: the wanted number of tokens; `byte` has 256.
        learnt_on: the documents that `bpe` is learnt on, on their part for training; None for the same.
    """
    train, held_out = split(documents, lowercase)
    if tokenizer == "byte":
        return Tokens(train=as_bytes(train), held_out=as_bytes(held_out), vocabulary=256)
    lessons = train if learnt_on is None else split(learnt_on, lowercase)[0]
    encoder = byte_pair_encoder(lessons[::TRAINING_SHARE], vocabulary)
    return Tokens(train=encode(encoder, train), held_out=encode(encoder, held_out), vocabulary=encoder.get_vocab_size())


def split(documents: Sequence[str], lowercase: bool) -> tuple[list[str], list[str]]:
    """The pieces to train on, and those held out."""
    texts = [text.lower() for text in documents] if lowercase else list(documents)
    units = texts if len(texts) >= 10 else pieces(texts)
    train = thinned(pieces(unit for place, unit in enumerate(units) if place % 10 != 9))
    return train, thinned(pieces(units[9::10]))


def pieces(texts) -> list[str]:
    """The texts cut to at most `PIECE` characters, before a space where there is one."""
    return [piece for text in texts for piece in re.findall(rf"(?s).{{1,{PIECE}}}(?!\S)|.{{1,{PIECE}}}", text)]


def thinned(texts: list[str]) -> list[str]:
    """One in so many, evenly spaced, that at most about `LONGEST_CORPUS` characters are left."""
    return texts[:: max(1, -(-sum(map(len, texts)) // LONGEST_CORPUS))]


def as_bytes(texts: Sequence[str]) -> Stream:
    return np.frombuffer("".join(texts).encode(), np.uint8).astype(np.int32)


def byte_pair_encoder(texts: Sequence[str], vocabulary: int):
    """Byte-pair encoding (Sennrich et al. 2016) that splits at spaces and lines.

    The alphabet is the most frequent characters, at most half of the vocabulary, with ties broken by the character:
    the library's own choice among ties is not reproducible. Any other character is the unknown token.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    frequency = sorted(Counter("".join(texts).replace(" ", "▁")).items(), key=lambda item: (-item[1], item[0]))
    alphabet = [character for character, _ in frequency[: vocabulary // 2]]
    encoder = Tokenizer(models.BPE(unk_token=UNKNOWN))
    encoder.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("\n", "isolated"), pre_tokenizers.Metaspace(prepend_scheme="never")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[UNKNOWN],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    encoder.train_from_iterator(texts, trainer)
    return encoder


def encode(encoder, texts: Sequence[str]) -> Stream:
    encoded = encoder.encode_batch_fast(list(texts))
    return np.concatenate([np.zeros(0, np.int32), *(np.asarray(one.ids, np.int32) for one in encoded)])
