import json

import pytest

from ontogeny.pipeline import parsed as module
from ontogeny.pipeline.parsed import keep, known, new, parsed

SOURCE = '"""A module."""\nfrom ontogeny.pipeline import plan\nimport ontogeny.errors\nX = 1\n'


@pytest.fixture
def forgotten(tmp_path, monkeypatch):
    """A cache folder with nothing in it, as a process finds it that has just begun; call it to begin another process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def forget():
        for cached in (parsed, known, new):
            cached.cache_clear()

    forget()
    yield forget
    forget()


def test_what_was_parsed_is_read_by_the_next_process(forgotten, monkeypatch):
    first = parsed(SOURCE)
    assert first.names == ("errors", "pipeline", "pipeline.plan")
    keep()
    forgotten()
    monkeypatch.setattr(module.ast, "parse", None)
    assert parsed(SOURCE) == first


def test_another_text_is_parsed_again(forgotten):
    first = parsed(SOURCE)
    keep()
    forgotten()
    assert parsed(SOURCE.replace("X = 1", "X = 2")).digest != first.digest
    assert parsed(f"# a comment\n{SOURCE}").digest == first.digest


@pytest.mark.parametrize("content", ["", "[]", '{"a": 3}', "{cut"])
def test_a_damaged_cache_is_made_anew(forgotten, content):
    first = parsed(SOURCE)
    module.cache_file().parent.mkdir(parents=True, exist_ok=True)
    module.cache_file().write_text(content)
    forgotten()
    assert parsed(SOURCE) == first
    keep()
    assert len(json.loads(module.cache_file().read_text())) == 1
