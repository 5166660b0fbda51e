"""Tokenising: lossless where it should be, reproducible, with text held out."""

import subprocess
import sys

import numpy as np
import pytest

from ontogeny.tasks.corpora import documents
from ontogeny.tasks.tokenizing import byte_pair_encoder, encode, pieces, split, thinned, tokenize

TEXT = "the cat sat on the mat.\nthe dog sat on the cat, and the mat was flat.\n"


def test_pieces_lose_nothing_and_break_before_spaces():
    text = "word another\n" * 1000 + "x" * 5000
    cut = pieces([text, "short"])
    assert "".join(cut) == text + "short"
    assert max(map(len, cut)) <= 2000
    assert all(piece[0].isspace() for piece in cut[1:6])


def test_thinned_keeps_about_the_longest_corpus_evenly():
    texts = [str(place) * 2000 for place in range(10)] * 1000
    kept = thinned(texts)
    assert 2_000_000 < sum(map(len, kept)) <= 4_000_000
    assert kept[1] == texts[len(texts) // len(kept)]
    assert thinned(["a", "b"]) == ["a", "b"]


def test_byte_tokens_are_the_bytes():
    tokens = tokenize([TEXT * 100 + "é"] * 10, tokenizer="byte", vocabulary=256, lowercase=False)
    assert tokens.vocabulary == 256
    assert bytes(tokens.held_out.tolist()).decode() == TEXT * 100 + "é"


def test_bpe_merges_frequent_pairs_and_can_be_undone():
    encoder = byte_pair_encoder([TEXT] * 20, 64)
    ids = encode(encoder, [TEXT])
    assert ids.max() < encoder.get_vocab_size() <= 64
    assert len(ids) < 0.6 * len(TEXT)
    assert "".join(encoder.id_to_token(token) for token in ids).replace("▁", " ") == TEXT
    assert "▁the" in encoder.get_vocab()


def test_another_corpus_is_read_by_what_was_learnt_on_the_first():
    other = ["the zebra sat. " * 40] * 10
    read = tokenize(other, tokenizer="bpe", vocabulary=64, lowercase=False, learnt_on=[TEXT] * 10)
    encoder = byte_pair_encoder([TEXT] * 9, 64)
    np.testing.assert_array_equal(read.train, encode(encoder, split(other, False)[0]))
    assert read.vocabulary == tokenize([TEXT] * 10, tokenizer="bpe", vocabulary=64, lowercase=False).vocabulary
    own = tokenize(other, tokenizer="bpe", vocabulary=64, lowercase=False)
    assert len(own.train) != len(read.train)


def test_rare_characters_are_unknown_and_leave_room_for_merges():
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 200)))
    encoder = byte_pair_encoder([TEXT * 20 + rare], 64)
    tokens = encode(encoder, [rare])
    assert np.mean(tokens == encoder.token_to_id("<unk>")) > 0.9
    assert "▁the" in encoder.get_vocab()


@pytest.mark.parametrize("count", [3, 40])
def test_every_tenth_part_is_held_out_and_in_neither_stream_twice(count):
    texts = [f"{place:04d} " * 2000 for place in range(count)]
    tokens = tokenize(texts, tokenizer="byte", vocabulary=256, lowercase=False)
    assert len(tokens.held_out) / (len(tokens.train) + len(tokens.held_out)) == pytest.approx(0.1, abs=0.05)
    if count == 40:
        assert {bytes(tokens.held_out[i : i + 4].tolist()) for i in range(0, 40000, 5)} == {b"0009", b"0019", b"0029", b"0039"}


def test_lowercase():
    upper, lower = (tokenize(["ABC " * 500] * 10, tokenizer="byte", vocabulary=256, lowercase=low).train for low in (False, True))
    assert set(upper) == set(b"ABC ") and set(lower) == set(b"abc ")


def test_tokens_do_not_depend_on_the_process(tmp_path):
    """The tokenizers library walks hash maps in an order that changes from process to process."""
    (tmp_path / "corpus.txt").write_text("".join(documents("sotu", tmp_path)[:8]))
    program = (
        "from pathlib import Path; from ontogeny.tasks.corpora import documents; from ontogeny.tasks.tokenizing import tokenize;"
        "t = tokenize(documents('corpus.txt', Path('.')), tokenizer='bpe', vocabulary=128, lowercase=False);"
        "from hashlib import sha256; print(t.vocabulary, sha256(t.train.tobytes()).hexdigest())"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True).stdout for _ in range(2)
    }
    assert len(outputs) == 1


def test_streams_are_integers():
    tokens = tokenize([TEXT] * 10, tokenizer="bpe", vocabulary=64, lowercase=True)
    assert tokens.train.dtype == np.int32 and tokens.train.ndim == 1
