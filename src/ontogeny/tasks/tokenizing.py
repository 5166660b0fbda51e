"""Turn documents into two streams of tokens: one to train on, one held out.

Documents are first cut into pieces of at most 2,000 characters, since the time of BPE grows faster than their length.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

PIECE = 2_000
LONGEST_CORPUS = 4_000_000
"""The most characters that are tokenised, so that any corpus takes seconds."""
TRAINING_SHARE = 4
"""BPE merges are learnt on one piece in this many; more text takes longer and changes few merges."""
UNKNOWN = "<unk>"
SPACE = "▁"
"""How the tokeniser writes a space."""

Stream = Int[np.ndarray, " tokens"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A tokenised corpus.

    Attributes:
        train: the stream that windows for training and sampling are cut from.
        held_out: a tenth of the text that is in no such window.
        texts: the text of each token of the vocabulary, which is smaller than asked for where the text does not yield more.
    """

    train: Stream
    held_out: Int[np.ndarray, " held_out_tokens"]
    texts: tuple[str, ...]

    @property
    def vocabulary(self) -> int:
        return len(self.texts)


def tokenize(
    documents: Sequence[str], *, tokenizer: str, vocabulary: int, lowercase: bool, learnt_on: Sequence[str] | None = None
) -> Tokens:
    """Hold out every tenth document (of few documents: every tenth piece), and tokenise both parts.

    Args:
        tokenizer: `bpe`, learnt on the training part, or `byte`.
        vocabulary: the number of tokens asked for; `byte` has 256.
        learnt_on: the documents whose training part `bpe` is learnt on; None means the same documents.
    """
    train, held_out = split(documents, lowercase)
    if tokenizer == "byte":
        return Tokens(train=as_bytes(train), held_out=as_bytes(held_out), texts=tuple(map(byte_text, range(256))))
    lessons = train if learnt_on is None else split(learnt_on, lowercase)[0]
    encoder = byte_pair_encoder(lessons[::TRAINING_SHARE], vocabulary)
    texts = tuple(str(encoder.id_to_token(token)).replace(SPACE, " ") for token in range(encoder.get_vocab_size()))
    return Tokens(train=encode(encoder, train), held_out=encode(encoder, held_out), texts=texts)


def split(documents: Sequence[str], lowercase: bool) -> tuple[list[str], list[str]]:
    """Return the pieces to train on, and the held-out ones."""
    texts = [text.lower() for text in documents] if lowercase else list(documents)
    units = texts if len(texts) >= 10 else pieces(texts)
    train = thinned(pieces(unit for index, unit in enumerate(units) if index % 10 != 9))
    return train, thinned(pieces(units[9::10]))


def pieces(texts) -> list[str]:
    """Return the texts in pieces of at most `PIECE` characters, cut before a space where there is one."""
    return [piece for text in texts for piece in re.findall(rf"(?s).{{1,{PIECE}}}(?!\S)|.{{1,{PIECE}}}", text)]


def thinned(texts: list[str]) -> list[str]:
    """Return evenly spaced pieces, so many that about `LONGEST_CORPUS` characters are left."""
    return texts[:: max(1, -(-sum(map(len, texts)) // LONGEST_CORPUS))]


def as_bytes(texts: Sequence[str]) -> Stream:
    return np.frombuffer("".join(texts).encode(), np.uint8).astype(np.int32)


def byte_text(byte: int) -> str:
    """Return a byte as text: its character in ASCII, else its number in hexadecimal digits."""
    return chr(byte) if byte < 128 else f"\\x{byte:02x}"


def byte_pair_encoder(texts: Sequence[str], vocabulary: int):
    """Return a byte-pair encoder (Sennrich et al. 2016) that splits at spaces and lines.

    The alphabet consists of the most frequent characters, at most half of the vocabulary. Ties are broken by the character,
    since the library's own choice among ties is not reproducible. Any other character becomes the unknown token.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    frequency = sorted(Counter("".join(texts).replace(" ", SPACE)).items(), key=lambda item: (-item[1], item[0]))
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
    return np.concatenate([np.zeros(0, np.int32), *(np.asarray(encoding.ids, np.int32) for encoding in encoded)])
