"""The ``contactcenter`` command: reports of contact centers outside a DAG, and a sandbox to try them in."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from airflow_provider_contactcenter import __version__

#: sub-command -> (module with ``add_arguments(parser)`` and ``run(arguments) -> exit status``, help line)
COMMANDS = {
    "check": ("airflow_provider_contactcenter.cli.check", "test connections as a worker would"),
    "fetch": ("airflow_provider_contactcenter.cli.fetch", "fetch one report without a DAG"),
    "conform": ("airflow_provider_contactcenter.cli.conform", "say what a vendor's description lacks"),
    "sandbox": ("airflow_provider_contactcenter.cli.sandbox", "serve the vendors' APIs on loopback"),
    "demo": ("airflow_provider_contactcenter.demo.command", "run the example DAGs in a real Airflow"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit status; without any, print the help."""
    parser = argparse.ArgumentParser(prog="contactcenter", description=(__doc__ or "").replace("``", ""))
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module_name, summary) in COMMANDS.items():
        module = importlib.import_module(module_name)
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    status: int = arguments.run(arguments)
    return status
