"""Faults of what the user gave, as against faults of this program: they are told in a line, without a traceback."""


class SpecificationError(ValueError):
    """What a config asks for cannot be made: a corpus, a file of the user's own, parts that do not fit."""
