"""Limits that the search and the pages share."""

FEWEST_CHECKPOINTS = 8
"""A curve with fewer checkpoints that carry evidence cannot be judged."""
ERRORS_THAT_COUNT = 2.0
"""A change of more than this many standard errors is a change."""
