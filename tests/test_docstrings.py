"""The examples in docstrings: what a reader would copy runs."""

from __future__ import annotations

import ast
import importlib
import os
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from airflow.providers.common.compat.sdk import DAG

import airflow_provider_contactcenter
from airflow_provider_contactcenter import reports, windows
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator

PACKAGE = Path(airflow_provider_contactcenter.__file__).parent
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def examples() -> Iterator[Any]:
    """Each indented block behind ``::``, with the module that it stands in."""
    for file in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = (ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None) or ""
            for found in re.finditer(r"::\n\n((?: {4}.*\n?|\n)+)", text):
                where = f"{module}.{getattr(node, 'name', '')}".rstrip(".")
                yield pytest.param(module, textwrap.dedent(found[1]).strip(), id=where)


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize(("module", "text"), list(examples()))
def test_the_example_of_a_docstring_runs(module: str, text: str, tmp_path: Path) -> None:
    if not is_python(text):
        (tmp_path / "reports.yaml").write_text(text, encoding="utf-8")
        assert reports.load_reports(tmp_path / "reports.yaml", **windows.day_window("Europe/Berlin"))
        return
    # What a reader has imported where such a line stands.
    names: dict[str, Any] = {name: getattr(reports, name) for name in reports.__all__}
    names |= vars(windows) | {"ContactCenterToS3Operator": ContactCenterToS3Operator, "Sandbox": Sandbox}
    names |= {"ZONE": "Europe/Berlin", "datetime": datetime, "UTC": UTC, "os": os}
    names |= vars(importlib.import_module(module))
    with patch.dict(os.environ), DAG("d", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC)):
        exec(compile(text, module, "exec"), names)


def test_there_are_examples() -> None:
    assert len(list(examples())) >= 3
