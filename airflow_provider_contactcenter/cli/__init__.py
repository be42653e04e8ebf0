"""The ``contactcenter`` command: ``contactcenter sandbox`` and ``contactcenter demo``."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

#: sub-command -> (module with ``add_arguments(parser)`` and ``run(arguments) -> exit status``, help line)
COMMANDS = {
    "sandbox": ("airflow_provider_contactcenter.cli.sandbox", "serve the vendors' APIs on loopback"),
    "demo": ("airflow_provider_contactcenter.demo.command", "run the example DAGs in a real Airflow"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit status."""
    parser = argparse.ArgumentParser(prog="contactcenter", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, (module_name, summary) in COMMANDS.items():
        module = importlib.import_module(module_name)
        subparser = subparsers.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status
