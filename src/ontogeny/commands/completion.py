"""`ontogeny completion SHELL`: the script by which a shell completes commands, options and files."""

import argparse

from ontogeny.commands import parser as command_line

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or tcsh")
    parser.epilog = 'In ~/.bashrc: eval "$(ontogeny completion bash)"'


def run(arguments: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(command_line.parser(), shell=arguments.shell))
    return 0
