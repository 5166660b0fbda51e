"""The embedding of the numbers of modular addition in its dominant Fourier plane, and its spectrum over training."""

import numpy as np
import pandas as pd

from ontogeny.pipeline.pictures import Recording
from ontogeny.report.pictures.drawing import heat_map, points, svg
from ontogeny.report.pictures.film import Film, Picture, spans
from ontogeny.transitions.records import Development


def films(recording: Recording) -> list[Film]:
    """Return the numbers in the plane, in the colours of their angles on the circle."""
    coordinates, frequencies = recording.along["coordinates"], recording.along["frequency"]
    largest = max(float(np.abs(coordinates).max()), 1e-9)
    shares = recording.along["spectrum"].max(axis=1)
    return [
        Film(
            title="The numbers in their dominant Fourier plane",
            caption="Each point is the embedding of a number a, in the plane of the frequency k that holds most of the "
            "embedding's variance, coloured by the angle 2πka/p. The points lie on a circle in the order of the hues where the "
            "network has learnt a wave of this frequency.",
            steps=recording.steps,
            frames=[frame(one, int(k), largest) for one, k in zip(coordinates, frequencies, strict=True)],
            words=[f"k = {int(k)}, {share:.0%} of the variance" for k, share in zip(frequencies, shares, strict=True)],
            width=170,
        )
    ]


def frame(coordinates: np.ndarray, frequency: int, largest: float) -> str:
    count = len(coordinates)
    tints = [f"hsl({360 * (frequency * a % count) / count:.0f} 60% 50%)" for a in range(count)]
    names = [str(a) for a in range(count)] if count <= 12 else []
    return svg(160, 160, points(coordinates, tints, names, largest))


def stills(recording: Recording, trajectory: pd.DataFrame, development: Development | None) -> list[Picture]:
    """Return the spectrum of the embedding over training."""
    spectrum = recording.along["spectrum"].T
    largest = max(float(spectrum.max()), 1e-9)
    count = len(spectrum)
    shown = [f"k = {k}" if count <= 12 or k == 1 or k % 10 == 0 else "" for k in range(1, count + 1)]
    words = f"Share of {count} frequencies in the variance of the embedding at {len(recording.steps)} checkpoints"
    drawn = heat_map(spectrum / largest, shown, recording.steps, spans(recording.steps, development), words)
    return [
        Picture(
            title="Fourier spectrum of the embedding over training",
            caption="A row is a frequency, a column a checkpoint; the colour is the frequency's share of the variance over the "
            f"numbers, in full colour {largest:.0%}. A network that adds by waves has a few rows of full colour.",
            html=f'<div class="maps one">{drawn}</div>',
        )
    ]
