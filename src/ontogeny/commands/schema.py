"""`ontogeny schema`: the JSON schema of config.yaml."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "`ontogeny schema > config.schema.json`, with `# yaml-language-server: $schema=config.schema.json` in config.yaml"
    )


def run(arguments: argparse.Namespace) -> int:
    from ontogeny.config.study import json_schema

    print(json_schema(), end="")
    return 0
