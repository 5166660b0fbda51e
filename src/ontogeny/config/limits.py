"""The largest numbers that config.yaml may ask for, so that a slip of the pen ends in a message and not in a hang."""

LARGEST = 2**31 - 1
"""The largest whole number: training counts its steps as 32-bit integers."""
MOST_CHECKPOINTS = 10_000
"""The most checkpoints of a run after the first."""
MOST_VARIANTS = 10_000
"""The most variants of a study, over all its families."""
MOST_SEEDS = 10_000
"""The most seeds in one list."""
MOST_RUNS = 100_000
"""The most runs of a study: the seeds of all its variants."""
MOST_SEEDS_PER_JOB = 1_024
"""The most seeds of one job, which trains all of them together."""
MOST_LAYERS = 1_000
"""The most layers of a network."""
MOST_ENTRIES = 1_000
"""The most entries of any other list or mapping."""
MOST_VALUES = 20
"""The most values of one setting that a sweep of settings tries."""
MOST_FILES = 10_000
"""The most files of a corpus."""
LONGEST_NAME = 100
"""The most characters in the name of a family, a variant or a data set: names become folders."""
