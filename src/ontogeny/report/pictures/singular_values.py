"""The singular values of a linear network's map beside those of its teacher (Saxe et al. 2014)."""

from ontogeny.pipeline.pictures import Recording
from ontogeny.report.pictures.drawing import bars, svg
from ontogeny.report.pictures.film import Film

LEARNT = 0.5
"""A direction counts as learnt above this share of the teacher's singular value."""
SMALLEST = 1e-6
"""The teacher has a direction where its singular value is above this share of the largest."""


def films(recording: Recording) -> list[Film]:
    """Return the singular values as bars, each with a dash at the teacher's value."""
    values, teacher = recording.along["values"], recording.constant["teacher"]
    largest = max(float(values.max()), float(teacher.max()), 1e-9)
    marks = teacher[teacher > SMALLEST * teacher.max()]
    learnt = (values[:, : len(marks)] > LEARNT * marks).sum(axis=1)
    return [
        Film(
            title="Singular values of the map",
            caption="A bar is a singular value of the matrix that the network computes, the largest first; an orange dash is the "
            "teacher's. The network has learnt a direction where the bar reaches its dash.",
            steps=recording.steps,
            frames=[svg(160, 100, bars(one, largest, marks.tolist())) for one in values],
            words=[f"{count} of {len(marks)} learnt" for count in learnt],
            width=160,
        )
    ]
