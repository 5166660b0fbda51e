"""A user's own file: found, run, and its faults told with the file and the line."""

import pytest

from ontogeny.problem.user_files import UserFileError, load


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "own.py").write_text(text)
        return tmp_path

    return write


def test_a_function_is_found_relative_to_the_config(write):
    assert load("own.py:double", write("def double(x, *, by=2):\n    return by * x\n"), int)(4, by=3) == 12


def test_a_file_may_define_dataclasses(write):
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Own:\n    x: int\n"
    assert load("own.py:Own", write(text), object)(3).x == 3


@pytest.mark.parametrize(
    ("text", "reference", "words"),
    [
        ("", "other.py:make", r"other.py:make: there is no file .*other.py"),
        ("x = 1\ny = 1 / 0\n", "own.py:make", r"own.py fails on import: ZeroDivisionError: .* \(line 2: y = 1 / 0\)"),
        ("import no_such_package\n", "own.py:make", r"No module named 'no_such_package' \(line 1: import no_such_package\)"),
        ("def f(:\n", "own.py:make", r"SyntaxError: .* \(line 1: def f\(:\)"),
        ("from math import sin\ndef build(): ...\n", "own.py:make", r"own.py defines no make; it defines build$"),
        ("import sys\nsys.exit(3)\n", "own.py:make", r"own.py fails on import: SystemExit: 3 \(line 2: sys.exit\(3\)\)"),
        ("make = 3\n", "own.py:make", r"has a make that cannot be called \(int\); it defines nothing to call"),
    ],
)
def test_what_cannot_be_loaded_is_told(write, text, reference, words):
    with pytest.raises(UserFileError, match=words):
        load(reference, write(text), int)


def test_what_fails_when_called_is_told(write):
    make = load("own.py:make", write("def make(x):\n    return [][x]\n"), int)
    with pytest.raises(UserFileError, match=r"own.py:make fails: IndexError: .* \(line 2: return \[\]\[x\]\)"):
        make(5)
    with pytest.raises(UserFileError, match="unexpected keyword argument 'depth'"):
        make(5, depth=3)


def test_a_function_that_exits_is_told(write):
    make = load("own.py:make", write("def make():\n    raise SystemExit\n"), int)
    with pytest.raises(UserFileError, match=r"own.py:make fails: SystemExit:? \(line 2: raise SystemExit\)"):
        make()


def test_a_result_of_the_wrong_type_is_told(write):
    with pytest.raises(UserFileError, match=r"own.py:make returns a str; it should return a builtins.int"):
        load("own.py:make", write("def make():\n    return 'three'\n"), int)()
