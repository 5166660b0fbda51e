"""Windows of real text, each token coloured by its loss or by the change of its loss."""

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from jaxtyping import Float

from ontogeny.pipeline.pictures import Recording
from ontogeny.report.numbers import number
from ontogeny.report.pictures.film import Film

SHADES = 10
WINDOWS = {"plain": "plain text", "repeated": "a window whose second half repeats its first"}
Losses = Float[np.ndarray, " time"]


def films(recording: Recording) -> list[Film]:
    """Return the text coloured by loss, with its change across candidates in the strip."""
    uniform = math.log(max(int(recording.constant["vocabulary"]), 2))
    texts = {name: recording.constant[f"{name}_texts"].tolist() for name in WINDOWS}
    losses = {name: recording.along[f"{name}_losses"].astype(float) for name in WINDOWS}

    def frame(place: int) -> str:
        return windows(texts, {name: along[place] / uniform for name, along in losses.items()}, "loss")

    def change(before: int, after: int) -> str:
        moved = {name: along[after] - along[before] for name, along in losses.items()}
        means = ", ".join(f"{WINDOWS[name]} {number(values.mean())}" for name, values in moved.items())
        shares = {name: 2 * values / uniform for name, values in moved.items()}
        return f'{windows(texts, shares, "change")}<p class="numbers">Mean change in nats per token: {means}.</p>'

    places = range(len(recording.steps))
    return [
        Film(
            title="What each token costs",
            caption=f"The loss of each token of held-out text, from 0 to {number(uniform, 2)} nats or more in full colour, the "
            "loss of a guess among all tokens alike. The rows below show its change across the candidates: blue where the "
            f"loss falls, orange where it rises, by {number(uniform / 2, 2)} nats or more in full colour.",
            steps=recording.steps,
            frames=[frame(place) for place in places],
            words=[f"{number(np.mean([along[place].mean() for along in losses.values()]))} nats per token" for place in places],
            width=640,
            change=change,
        )
    ]


def windows(texts: dict[str, Sequence[str]], shares: dict[str, Losses], kind: str) -> str:
    """Return each window as a line of coloured tokens with its name before it; the first token has no loss."""
    lines = []
    for name in shares:
        tokens = "".join(coloured(texts[name], shares[name], split(name, texts[name])))
        lines.append(f'<p class="tokens {kind}"><small>{WINDOWS[name]}</small>{tokens}</p>')
    return "".join(lines)


def split(name: str, texts: Sequence[str]) -> int:
    """Return where the second half of a window begins that repeats its first; 0 for plain text."""
    return len(texts) // 2 if name == "repeated" else 0


def coloured(texts: Sequence[str], shares: Losses, middle: int) -> Iterable[str]:
    """Yield each token as an element of a class from -10 to 10, with a bar before the second half."""
    for place, text in enumerate(texts):
        share = 0.0 if place == 0 else float(shares[place - 1])
        level = round(SHADES * max(-1.0, min(1.0, share)))
        bar = '<b aria-label="second half"></b>' if middle and place == middle else ""
        shade = f' class="{"p" if level > 0 else "m"}{abs(level)}"' if level else ""
        yield f"{bar}<i{shade}>{shown(text)}</i>"


def shown(text: str) -> str:
    """Return a token as HTML; a line break and a tabulator are shown by signs."""
    return escape(str(text).replace("\n", "⏎").replace("\t", "⇥"), quote=False)


def plain_text(texts: Sequence[str]) -> str:
    """Return tokens as one text in HTML."""
    return f'<q class="text">{"".join(map(shown, texts))}</q>'
