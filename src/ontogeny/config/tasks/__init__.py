"""The cards of the built-in tasks: for each kind the section of config.yaml, one file per kind."""
