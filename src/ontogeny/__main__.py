"""The command line: commands for people in `ontogeny.commands`, and `ontogeny KIND`, by which the workflow runs a job."""

import sys
import time
from collections.abc import Callable, Sequence

from ontogeny.commands.parser import did_you_mean, module, parser
from ontogeny.commands.registry import COMMANDS

BEGAN = time.perf_counter()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, by default those of the process; return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    name = given[0] if given and not given[0].startswith("-") else ""
    if name and name not in COMMANDS:
        return run_job(given)
    own = module(name) if name else None
    if own and hasattr(own, "run_with") and not {"-h", "--help"} & set(given):
        return tell(lambda: own.run_with(given[1:]))
    arguments = parser([name] if name else []).parse_args(given)
    return tell(lambda: module(arguments.command).run(arguments))


def tell(command: Callable[[], int]) -> int:
    """Run a command and return its exit status. A fault of the user's files takes a line or two."""
    from ontogeny.errors import SpecificationError

    try:
        return command()
    except SpecificationError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 1


def run_job(given: Sequence[str]) -> int:
    """Run a job of the workflow, or say that there is no such command."""
    from ontogeny.config.job_names import KINDS

    if given[0] not in KINDS:
        print(
            f"ontogeny has no command {given[0]!r}.{did_you_mean(given[0], list(COMMANDS))} `ontogeny --help` lists them.",
            file=sys.stderr,
        )
        return 2
    from ontogeny.commands import job

    return job.main(given, BEGAN)


if __name__ == "__main__":
    sys.exit(main())
