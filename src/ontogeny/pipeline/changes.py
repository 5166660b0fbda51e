"""What differs between two specifications of a job, in the words of config.yaml."""

from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_VALUE = 60
DERIVED = ("families", "lanes", "run", "runs", "variants")
"""Parts of a specification that follow from others, which are told."""
PART_OF = "other seeds or variants of the family have changed"
"""The line where only parts that follow from others differ."""
WHOLE = {
    "code": "ontogeny's own code",
    "files": "a file of your own",
    "labels": "the labels of observables",
    "observable_files": "a file of your own",
    "other_files": "a file of your own",
}
"""Parts that are digests, or too long to be told."""


def changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each key that differs: `llc.draws: 80 → 120`, `seeds: 3 added`."""
    told = [line for key in sorted({*was, *now}) for line in lines_of(key, was.get(key), now.get(key)) if key not in DERIVED]
    return list(dict.fromkeys(told)) or [PART_OF] * (was != now)


def lines_of(key: str, was: Any, now: Any) -> Iterator[str]:
    if was == now:
        return
    if key in WHOLE:
        yield f"{WHOLE[key]}{named(was, now)} has changed"
    elif key == "seeds":
        yield from seed_lines(was or [], now or [])
    else:
        before, after = flat(key, was), flat(key, now)
        for leaf in sorted({*before, *after}):
            if before.get(leaf) != after.get(leaf):
                name = leaf.removeprefix("configuration.")
                yield f"{name}: {spell(before, leaf)} → {spell(after, leaf)}"


def named(was: Any, now: Any) -> str:
    """Return the files whose digests differ, in brackets."""
    if not (isinstance(was, Mapping) and isinstance(now, Mapping)):
        return ""
    files = sorted(str(name).partition(":")[0] for name in {*was, *now} if was.get(name) != now.get(name))
    return f" ({', '.join(dict.fromkeys(files))})" if any("." in name for name in files) else ""


def seed_lines(was: list[int], now: list[int]) -> Iterator[str]:
    for verb, seeds in (("added", set(now) - set(was)), ("removed", set(was) - set(now))):
        if seeds:
            yield f"seeds: {', '.join(map(str, sorted(seeds)))} {verb}"


def flat(key: str, value: Any) -> dict[str, Any]:
    """Return dotted key -> value of everything below a key."""
    if not isinstance(value, Mapping):
        return {key: value}
    return {leaf: found for name, below in value.items() for leaf, found in flat(f"{key}.{name}", below).items()}


def spell(leaves: Mapping[str, Any], leaf: str) -> str:
    """Return a value as config.yaml spells it."""
    if leaf not in leaves:
        return "not given"
    value = leaves[leaf]
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
