from ontogeny.pipeline import fingerprint


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    assert fingerprint.canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == fingerprint.canonical_json(
        {"a": {"c": 3, "d": 2}, "b": 1}
    )


def test_comments_docstrings_and_layout_do_not_count():
    plain = "def f(x):\n    return x + 1\n"
    dressed = '"""A module."""\n# why\ndef f(x):\n    """A function."""\n\n    return (x +\n            1)\n'
    assert fingerprint.python_digest(plain) == fingerprint.python_digest(dressed)


def test_code_counts():
    assert fingerprint.python_digest("def f(x):\n    return x + 1\n") != fingerprint.python_digest(
        "def f(x):\n    return x + 2\n"
    )


def test_a_stage_reaches_what_it_imports_and_no_more():
    reached, waiting = set(), ["jobs.train"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += fingerprint.imports(module)
    assert {"training.loop", "checkpoints.blocks", "jobs.job", "problem.problem"} <= reached
    assert not {"jobs.sample", "models.transformer", "tasks.text", "estimates.llc", "report.pages"} & reached


def test_the_digest_follows_an_import_however_deep(monkeypatch):
    before = fingerprint.code_digest("jobs.train")
    sources = {"problem": "X = 1"}
    original = fingerprint.module_digest.__wrapped__
    monkeypatch.setattr(
        fingerprint,
        "module_digest",
        lambda module: fingerprint.python_digest(sources[module]) if module in sources else original(module),
    )
    fingerprint.code_digest.cache_clear()
    after = fingerprint.code_digest("jobs.train")
    fingerprint.code_digest.cache_clear()
    assert before != after


def test_what_changes_no_result_does_not_count(monkeypatch):
    before = fingerprint.code_digest("jobs.train")
    original = fingerprint.module_digest.__wrapped__
    monkeypatch.setattr(fingerprint, "module_digest", lambda module: "edited" if module == "progress" else original(module))
    fingerprint.code_digest.cache_clear()
    after = fingerprint.code_digest("jobs.train")
    fingerprint.code_digest.cache_clear()
    assert before == after


def test_no_module_of_a_package_that_changes_no_result_counts():
    assert fingerprint.code_digest("jobs.train", "config.training") == fingerprint.code_digest("jobs.train")


def test_a_file_counts_by_its_bytes_and_users_code_by_its_tree(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1")
    before = fingerprint.file_digest(path), fingerprint.code_file_digest(path)
    path.write_text("x = 1  # three")
    assert fingerprint.file_digest(path) != before[0]
    assert fingerprint.code_file_digest(path) == before[1]
