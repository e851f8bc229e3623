"""Entry point of `python -m igniter_connectors.cli`."""

from igniter_connectors.cli.main import main

main(prog_name="igniter-connectors")
