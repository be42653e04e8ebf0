"""Say what is missing in a vendor's description; the exit status is 1 if something is.

Nothing is sent. docs/adding_a_vendor.md walks through a description that is complete.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_contactcenter.cli.surroundings import own_output

if TYPE_CHECKING:
    from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("target", metavar="MODULE:VENDOR", help="the description, as an entry point names it")


def run(arguments: argparse.Namespace) -> int:
    """Check; returns 0 if nothing is missing, else 1."""
    with own_output() as output:
        found = _complaints(arguments.target)
        for complaint in found:
            output.write(f"{complaint}\n".encode())
        if not found:
            output.write(f"{arguments.target} is complete.\n".encode())
    return int(bool(found))


def _complaints(target: str) -> list[str]:
    from airflow_provider_contactcenter.vendors.conformance import complaints
    from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

    module, colon, name = target.partition(":")
    if not (module and colon and name):
        return [f"{target!r} is not allowed: give MODULE:VENDOR."]
    here = str(Path.cwd())
    if here not in sys.path:  # as python -m has it
        sys.path.insert(0, here)
    try:
        vendor = getattr(importlib.import_module(module), name)
    except Exception as error:
        return [f"{target} can't be loaded ({type(error).__name__}: {error})."]
    found = complaints(vendor)
    if isinstance(vendor, Vendor):
        found += _installed(target, vendor)
    return found


def _installed(target: str, vendor: Vendor) -> list[str]:
    """Whether reports find this description."""
    from airflow_provider_contactcenter.checks import InvalidValue
    from airflow_provider_contactcenter.hooks import hook_class
    from airflow_provider_contactcenter.vendors import registry

    try:
        known = registry.vendor(vendor.name)
    except InvalidValue:
        return [
            f"no installed distribution brings it: let one have the entry point {vendor.name} = {target!r} "
            f"in the group {registry.GROUP}."
        ]
    if known is not vendor:
        return [f"name={vendor.name!r} is taken by {known.title}."]
    try:
        hook = hook_class(vendor.name)
    except Exception as error:
        return [f"hook={vendor.hook!r} can't be loaded ({type(error).__name__}: {error})."]
    if (hook.vendor_name, hook.conn_type) != (vendor.name, vendor.name):
        return [f"hook={vendor.hook!r}: its vendor_name and conn_type have to be {vendor.name!r}."]
    return []
