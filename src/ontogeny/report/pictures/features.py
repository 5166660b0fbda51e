"""The feature vectors of the toy model of superposition, and their convex hull (Elhage et al. 2022; Chen et al. 2023)."""

import numpy as np
from jaxtyping import Float, Int

from ontogeny.pipeline.pictures import Recording
from ontogeny.report.pictures.drawing import colours, points, svg
from ontogeny.report.pictures.film import Film

DIRECTIONS = 720
"""Corners are looked for in as many directions as the observable `polygon_vertices` does."""
Vectors = Float[np.ndarray, "2 features"]


def films(recording: Recording) -> list[Film]:
    """Return the vectors as lines from the origin, with their hull."""
    vectors = recording.along["vectors"]
    largest = max(float(np.linalg.norm(vectors, axis=1).max()), 1e-9)
    corners = [len(hull(one)) for one in vectors]
    return [
        Film(
            title="Feature vectors",
            caption="Each line is the column of W of one feature, drawn from the origin; the dashed line is their convex hull. "
            "Features in a k-gon are the corners of the hull; the network does not represent those near the origin.",
            steps=recording.steps,
            frames=[frame(one, largest) for one in vectors],
            words=[f"{count} corners" for count in corners],
            width=150,
        )
    ]


def hull(vectors: Vectors) -> Int[np.ndarray, " corners"]:
    """Return the features at the corners of the convex hull, anticlockwise: those farthest out in some direction."""
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    farthest = np.argmax(np.stack([np.cos(angles), np.sin(angles)], axis=1) @ vectors, axis=1)
    return np.array(list(dict.fromkeys(farthest.tolist())))


def frame(vectors: Vectors, largest: float) -> str:
    count = vectors.shape[1]
    corners = (80 + 58 * np.array([[1], [-1]]) * vectors[:, hull(vectors)] / largest).T
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    drawn = points(vectors.T, colours(count), [str(i) for i in range(count)], largest, from_origin=True)
    return svg(160, 160, f'<polygon class="hull" points="{outline}"/>{drawn}')
