"""`ontogeny plan`: what a study takes, before anything runs."""

import argparse

from ontogeny.commands.parser import add_study, study_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.pipeline.cost import describe

    print(describe(study_file(arguments)))
    return 0
