"""The stages of the workflow: each is a module of `stages/`, a command of the command line and a rule of Snakemake."""

STAGES = (
    "train",
    "calibrate",
    "sample",
    "observe",
    "analyse",
    "consensus",
    "posterior",
    "report",
    "family_report",
    "index",
)
