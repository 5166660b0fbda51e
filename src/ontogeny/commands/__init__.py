"""The commands of `ontogeny`, a module each, with `add_arguments(parser)` and `run(arguments)`, which returns an exit status."""
