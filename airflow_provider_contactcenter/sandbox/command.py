"""Serve the contact-center APIs on loopback until SIGTERM or Ctrl-C.

Standard output gets one AIRFLOW_CONN_... line for each default connection and nothing else.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from typing import Any

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--port", type=int, default=8900, help="port of the APIs; 0: any free one (default: 8900)"
    )
    parser.add_argument("--rows", type=int, default=100, help="rows of a report's file (default: 100)")
    parser.add_argument(
        "--seed", type=int, default=1, help="what data, ids and tokens are made from (default: 1)"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="VENDOR.NAME=VALUE",
        help="choose a variant of an API; VALUE is JSON, or a plain string where it isn't; may be repeated",
    )


def _option(argument: str) -> tuple[str, str, Any]:
    path, equals, value = argument.partition("=")
    vendor, dot, name = path.partition(".")
    if not (equals and dot and vendor and name):
        raise argparse.ArgumentTypeError(f"expected VENDOR.NAME=VALUE, not {argument!r}")
    try:
        return vendor, name, json.loads(value)
    except ValueError:
        return vendor, name, value


def run(arguments: argparse.Namespace) -> int:
    """Serve; returns 0 when asked to stop, 2 for a bad option, 1 where the port can't be had."""
    from . import Sandbox

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    options: dict[str, dict[str, Any]] = {}
    for vendor, name, value in arguments.option:
        options.setdefault(vendor, {})[name] = value
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Sandbox(
            seed=arguments.seed, rows=arguments.rows, options=options, port=arguments.port
        ) as sandbox:
            for name, value in sandbox.environ.items():
                print(f"{name}={value}")
            sys.stdout.flush()
            log.info("The sandbox serves on %s, its storage on %s.", sandbox.url, sandbox.storage_url)
            stop.wait()
    except ValueError as error:
        log.error("%s", error)
        return 2
    except OSError as error:
        log.error("The sandbox can't serve on port %s: %s.", arguments.port, error.strerror)
        return 1
    return 0
