"""The page about the sandbox names everything that it has."""

from __future__ import annotations

import inspect
import itertools
import os
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from airflow_provider_contactcenter import sandbox as package
from airflow_provider_contactcenter.sandbox import clock
from airflow_provider_contactcenter.sandbox.faults import KINDS
from airflow_provider_contactcenter.sandbox.journal import FIELDS
from airflow_provider_contactcenter.sandbox.model import COMMON_OPTIONS, Vendor
from airflow_provider_contactcenter.sandbox.registry import VENDORS

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def section(vendor: Vendor) -> str:
    return PAGE.partition(f"(`{vendor.name}`)\n")[2].partition("\n### ")[0]


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_each_vendor_has_a_section_with_its_options_and_operations(vendor: Vendor) -> None:
    text = section(vendor)
    missing = [name for name in vendor.options if f"\n| `{name}` |" not in text]
    missing += [route.operation for route in vendor.routes if f"`{route.operation}`" not in text]
    assert missing == []


def test_common_options_faults_and_journal_fields_are_described() -> None:
    assert [name for name in (*COMMON_OPTIONS, *KINDS) if f"\n| `{name}` |" not in PAGE] == []
    assert [name for name in FIELDS if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("documented", [package, clock.Clock], ids=["package", "Clock"])
def test_the_examples_in_docstrings_run(documented: object) -> None:
    example = (inspect.getdoc(documented) or "").partition("::\n\n")[2]
    assert example, "it has an example"
    lines = itertools.takewhile(lambda line: not line or line.startswith("    "), example.splitlines())
    names = {"os": os, "datetime": datetime, "UTC": UTC, "Clock": package.Clock, "Sandbox": package.Sandbox}
    with patch.dict(os.environ):
        exec(textwrap.dedent("\n".join(lines)), names)
