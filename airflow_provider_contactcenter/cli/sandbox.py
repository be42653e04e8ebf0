"""Serve the contact-center APIs on loopback until SIGTERM or Ctrl-C.

Standard output gets one AIRFLOW_CONN_... line for each connection and nothing else, then ends; the server
runs on. In bash: source <(contactcenter sandbox --export)
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shlex
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

BUCKET = "contactcenter"


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
    parser.add_argument("--export", action="store_true", help="print lines that a shell can source")
    parser.add_argument(
        "--with-s3",
        action="store_true",
        help="serve an S3 too, with the bucket contactcenter, and print aws_default for it",
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


def _print(environ: Mapping[str, str], export: bool) -> None:
    for name, value in environ.items():
        print(f"export {name}={shlex.quote(value)}" if export else f"{name}={value}")
    sys.stdout.flush()
    # Whoever reads the lines to their end goes on now.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def run(arguments: argparse.Namespace) -> int:
    """Serve; returns 0 when asked to stop, 2 for a bad option, 1 where a server doesn't come up."""
    from airflow_provider_contactcenter.demo.processes import DemoError
    from airflow_provider_contactcenter.demo.stores import S3Server
    from airflow_provider_contactcenter.sandbox import Sandbox

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    options: dict[str, dict[str, Any]] = {}
    for vendor, name, value in arguments.option:
        options.setdefault(vendor, {})[name] = value
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with contextlib.ExitStack() as servers:
            sandbox = servers.enter_context(
                Sandbox(seed=arguments.seed, rows=arguments.rows, options=options, port=arguments.port)
            )
            environ = sandbox.environ
            if arguments.with_s3:
                s3 = servers.enter_context(S3Server([BUCKET]))
                environ |= s3.environ
                log.info("S3 serves the bucket %s on %s.", BUCKET, s3.url)
            _print(environ, arguments.export)
            log.info("The sandbox serves on %s, its storage on %s.", sandbox.url, sandbox.storage_url)
            stop.wait()
    except DemoError as error:
        log.error("%s", error)
        return 1
    except ValueError as error:
        log.error("%s", error)
        return 2
    except OSError as error:
        log.error("The sandbox can't serve on port %s: %s.", arguments.port, error.strerror)
        return 1
    return 0
