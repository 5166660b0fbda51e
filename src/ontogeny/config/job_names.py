"""The jobs of the workflow: each is a module of `jobs/`, a command of the command line and a rule of Snakemake."""

JOBS = (
    "train",
    "calibrate",
    "sample",
    "observe",
    "detect",
    "consensus",
    "phases",
    "run_pages",
    "family_page",
    "index_page",
)
