"""How long the search for transitions takes."""

MOST_CHECKPOINTS = 350
"""Checkpoints of a curve that are searched. A lone curve of so many takes about 2 s. The search takes memory with the square of
their number and time with the cube."""
PER_CURVE, PER_CHECKPOINT, PER_CUBE = 0.15, 1.5e-3, 1e-8
"""Seconds for each curve, for each of its checkpoints, and for the cube of their number. Fitted to synthetic runs of 19 or 20
curves of 30 to 600 checkpoints, half of them with a transition, on one core of a busy server; good to a factor of two."""
SHARED_PER_CUBE = 3e-8
"""Seconds for the cube of the number of checkpoints that curves without errors share."""


def seconds(checkpoints: int, curves: int) -> float:
    """Return the seconds of one core that the curves of a run take to be searched for transitions and put together."""
    count = min(checkpoints, MOST_CHECKPOINTS)
    each = PER_CURVE + PER_CHECKPOINT * count + PER_CUBE * count**3
    return curves * each + SHARED_PER_CUBE * count**3 * (curves > 0)
