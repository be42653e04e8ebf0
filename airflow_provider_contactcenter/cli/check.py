"""Resolve and test connections as a worker would: one line each, in the vendor's words.

Connections are looked up in the environment, the secrets backend and the metadata database, as far as these
can be reached from here. Without CONN_ID all connections of this package's types are tested that can be
listed: those of the environment and of the database. The exit status is 1 if one fails or none is found.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_contactcenter.cli.surroundings import own_output, resolve_as_server

if TYPE_CHECKING:
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook

PREFIX = "AIRFLOW_CONN_"
#: the cure where a command is the first thing that is done with an Airflow
NO_TABLES = "The metadata database has no tables yet: run 'airflow db migrate'."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("conn_ids", nargs="*", metavar="CONN_ID", help="the connections to test")


def run(arguments: argparse.Namespace) -> int:
    """Test; returns 0 if all connections work, else 1."""
    resolve_as_server()
    failed = False
    with own_output() as output:
        conn_ids = arguments.conn_ids or _listed()
        if not conn_ids:
            from airflow_provider_contactcenter.vendors import registry

            known = ", ".join(registry.names())
            print(
                f"There is no connection to test: none that can be listed is of type {known}.",
                file=sys.stderr,
            )
            return 1
        for conn_id in conn_ids:
            works, words = _test(conn_id)
            failed |= not works
            output.write(f"{conn_id}: {'ok' if works else 'FAILED'}: {' '.join(words.split())}\n".encode())
            output.flush()
    return int(failed)


def _test(conn_id: str) -> tuple[bool, str]:
    """Whether a connection works, and what was said; never a secret."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    from airflow_provider_contactcenter.vendors import registry

    try:
        conn_type = _conn_type(conn_id)
    except AirflowNotFoundException:
        said = (
            "there is no such connection in the environment, the secrets backend or the metadata database "
            "that can be reached from here."
        )
        with suppress(Exception):  # a worker of Airflow 3 has no database
            if _is_empty():
                said += f" {NO_TABLES}"
        return False, said
    except Exception as error:  # its words may quote the connection
        return False, f"the connection can't be read ({type(error).__name__})."
    if conn_type not in registry.names():
        return False, f"its type is {conn_type!r}; this package's are {', '.join(registry.names())}."
    hook = _hook(conn_type, conn_id)
    try:
        works, words = hook.test_connection()
        return works, " ".join([words, *_ignored(hook)])
    finally:
        hook.close()


def _ignored(hook: ContactCenterHook) -> Iterator[str]:
    """A sentence for each extra that means nothing: the hook's own warning goes to a task's log alone."""
    extra = hook.get_connection(hook.conn_id).extra_dejson
    for name, near in hook.vendor.form.unknown(extra if isinstance(extra, dict) else ()).items():
        meant = f" Did you mean {near!r}?" if near else ""
        yield f"The extra {name!r} is ignored: the type {hook.conn_type} does not know it.{meant}"


def _hook(conn_type: str, conn_id: str) -> ContactCenterHook:
    from airflow_provider_contactcenter.hooks import hook_class

    return hook_class(conn_type)(conn_id)


def _conn_type(conn_id: str) -> str | None:
    from airflow.providers.common.compat.sdk import BaseHook

    found: str | None = BaseHook.get_connection(conn_id).conn_type
    return found


def _listed() -> list[str]:
    """The connections of this package's types that can be listed, by their names."""
    from airflow_provider_contactcenter.vendors import registry

    return sorted({*_in_environment(), *_in_database(registry.names())})


def _in_environment() -> Iterator[str]:
    from airflow_provider_contactcenter.vendors import registry

    for name in os.environ:
        if name.startswith(PREFIX):
            conn_id = name.removeprefix(PREFIX).lower()
            try:
                if _conn_type(conn_id) in registry.names():
                    yield conn_id
            except Exception as error:
                print(f"{name} can't be read ({type(error).__name__}).", file=sys.stderr)


def _in_database(types: list[str]) -> list[str]:
    try:
        from airflow.models import Connection
        from airflow.utils.session import create_session
        from sqlalchemy import select

        if _is_empty():
            print(f"{NO_TABLES} Only the environment's connections are listed.", file=sys.stderr)
            return []
        with create_session() as session:
            found = session.execute(select(Connection.conn_id).where(Connection.conn_type.in_(types)))
            return [conn_id for (conn_id,) in found]
    except Exception as error:  # a worker of Airflow 3 has no database
        print(
            f"The metadata database can't be reached from here ({type(error).__name__}): only the "
            "environment's connections are listed.",
            file=sys.stderr,
        )
        return []


def _is_empty() -> bool:
    """Whether the metadata database can be reached and nobody has made its tables yet."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import inspect

    with create_session() as session:
        return not inspect(session.connection()).has_table(Connection.__tablename__)
