"""Where every head attends on one window of held-out text, and the scores of the heads over training (Olsson et al. 2022)."""

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from ontogeny.pipeline.pictures import Recording
from ontogeny.report.labels import label, natural
from ontogeny.report.pictures.drawing import cells_png, heat_map, svg
from ontogeny.report.pictures.film import Film, Picture, spans
from ontogeny.report.pictures.token_losses import plain_text
from ontogeny.report.tables import components
from ontogeny.transitions.records import Development

FULL = 255
SCORES = ("previous_token_score", "prefix_matching_score", "copying_score")
TILE, WIDEST, GAP, LETTER = 88, 640, 3, 11
"""The width of a head and of a frame in a strip, in pixels; the cells between heads; the height of letters, in pixels."""
Patterns = UInt8[np.ndarray, "layers heads time time"]


def films(recording: Recording) -> list[Film]:
    """Return the attention of every head, a row of squares for each layer."""
    patterns = recording.along["patterns"]
    width = min(WIDEST, TILE * patterns.shape[2])
    texts = recording.constant["texts"].tolist()
    return [
        Film(
            title="Attention of every head",
            caption="Row t of a square shows how much token t of the window attends to itself and to each token before it, from "
            "none to all in full colour. A line just below the diagonal is attention to the previous token; the window's second "
            "half repeats its first, so a line far below the diagonal is attention to what followed an earlier copy.",
            steps=recording.steps,
            frames=[frame(one, width) for one in patterns],
            words=["" for _ in patterns],
            width=width,
            more=f'<p class="window">The window of {len(texts)} tokens: {plain_text(texts)}</p>',
        )
    ]


def frame(patterns: Patterns, width: int) -> str:
    """Return the squares of all heads as one image, with a name above each."""
    layers, heads, time, _ = patterns.shape
    across = heads * (time + GAP) - GAP
    letter = LETTER * across / width
    band = round(1.5 * letter)
    canvas = np.zeros((layers * (time + band), across))
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * (time + band) + band, head * (time + GAP)
            canvas[top : top + time, left : left + time] = patterns[layer, head] / FULL
    short = width / heads < TILE - 1
    names = "".join(
        f'<text x="{head * (time + GAP)}" y="{layer * (time + band) + band - 0.4 * letter:.1f}" font-size="{letter:.2f}">'
        f"{f'{layer}.{head}' if short else f'layer {layer} head {head}'}</text>"
        f'<rect class="edge" x="{head * (time + GAP)}" y="{layer * (time + band) + band}" width="{time}" height="{time}"/>'
        for layer in range(layers)
        for head in range(heads)
    )
    height = len(canvas)
    image = f'<image width="{across}" height="{height}" href="{cells_png(canvas)}"/>'
    return svg(across, height, image + names)


def stills(recording: Recording, trajectory: pd.DataFrame, development: Development | None) -> list[Picture]:
    """Return the scores of the heads over training, a table of cells for each score that was measured."""
    drawn = [score_map(trajectory, name, development) for name in SCORES if head_names(trajectory, name)]
    if not drawn:
        return []
    return [
        Picture(
            title="Scores of every head over training",
            caption="A row is a head, a column a checkpoint, from 0 to the largest value in full colour; the bars above are the "
            "candidates. An induction head scores high in prefix matching, and the head of an earlier layer that it reads from "
            "in the previous-token score.",
            html=f'<div class="maps">{"".join(drawn)}</div>',
        )
    ]


def head_names(trajectory: pd.DataFrame, name: str) -> list[str]:
    return sorted((part for part in components(trajectory, name) if ".heads." in part), key=natural)


def score_map(trajectory: pd.DataFrame, name: str, development: Development | None) -> str:
    heads = head_names(trajectory, name)
    rows = trajectory[(trajectory["observable"] == name) & trajectory["component"].isin(heads)]
    table = rows.pivot_table(index="component", columns="step", values="value").reindex(heads)
    steps, values = [int(one) for one in table.columns], table.to_numpy(float)
    largest = max(float(np.nanmax(values)), 1e-9)
    names = [part.replace("layers.", "layer ").replace(".heads.", " head ") for part in heads]
    title = label(name).title
    best = names[int(np.nanargmax(np.nanmax(values, axis=1)))]
    words = f"{title} of {len(heads)} heads at {len(steps)} checkpoints; the largest is {largest:.2f}, of {best}"
    drawn = heat_map(values / largest, names, steps, spans(steps, development), words)
    return f"<div><h4>{title} <small>full colour: {largest:.2f}</small></h4>{drawn}</div>"
