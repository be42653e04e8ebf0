"""The APIs that the sandbox plays: one package and one line for each."""

from __future__ import annotations

from importlib import import_module

from .model import Vendor

PACKAGES = (
    "talkdesk",
    "eight_by_eight_cc",
    "eight_by_eight_work",
    "khoros_care",
    "vspark",
    "genesys_cloud",
)

VENDORS: tuple[Vendor, ...] = tuple(import_module(f"{__package__}.{package}").VENDOR for package in PACKAGES)
