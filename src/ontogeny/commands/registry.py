"""The table of commands. A command is a row here and a module of the same name in this package."""

COMMANDS = {
    "init": "start a study in a folder",
    "run": "run a study, or some of its families, and write the reports",
    "plan": "list a study's runs, jobs, minutes and disk before anything runs",
    "sweep": "compare steps, nβ and γ of a family at three checkpoints, and recommend a set",
    "status": "show which jobs are done, which would run, and what the results take",
    "diff": "say what an edit of the config changed, and what it reruns",
    "open": "open the index page of the results in a browser",
    "page": "open the page of a run, or write it as a single file to send",
    "clean": "list, then remove, results that the study no longer has",
    "schema": "print the JSON schema of config.yaml, for editors",
    "completion": "print the script that completes commands in a shell",
}
