"""The cards of the built-in models: for each kind the section of config.yaml, one file per kind."""
