"""The docs are true: examples run, tables name what the code has, links lead somewhere.

Pages: docs/*.md and README.md. Sphinx itself is not needed here; the build is another step of ``.ci/run``.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_contactcenter import exceptions, links
from airflow_provider_contactcenter.get_provider_info import get_provider_info
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.nouns import Delivery
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.pipeline import formats
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
    ContactCenterToAzureBlobOperator,
)
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.talkdesk import api as talkdesk

PACKAGE = "airflow_provider_contactcenter"
#: an import at the top level: one inside a fixture is for another file's life
IMPORTS = re.compile(f"^from {PACKAGE}", re.MULTILINE)
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


BUILDERS = registry.builders()


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """From a heading to the next one of the same level."""
    marks = heading.split(" ")[0]
    assert f"\n{heading}\n" in text, heading
    return text.partition(f"\n{heading}\n")[2].partition(f"\n{marks} ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# --- nouns ------------------------------------------------------------------------------------------------


def test_each_member_of_a_delivery_has_a_row() -> None:
    [table, xcoms] = section(page("transfers.md"), "## The delivery").split("Two more XComs", 1)
    listed = [name for row in rows(table) for name in ticked(row[0])]
    assert sorted(listed) == sorted(Delivery.__annotations__)
    assert [name for row in rows(xcoms) for name in ticked(row[0])] == [links.JOB_ID, links.OBJECT]


@pytest.mark.parametrize("file", [ROOT / "README.md", DOCS / "tutorial.md"], ids=lambda path: path.name)
def test_a_delivery_that_is_shown_has_only_members_that_there_are(file: Path) -> None:
    shown = [json.loads(block.code) for block in blocks(file) if block.language == "json"]
    [delivery] = [each for each in shown if "uri" in each]
    assert set(delivery) <= set(Delivery.__annotations__)


# --- examples -----------------------------------------------------------------------------------------------


class Block(NamedTuple):
    language: str
    code: str
    place: str


def blocks(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 2
        yield Block(match[1], match[2], f"{path.name}:{line}")


def all_blocks(language: str) -> list[Any]:
    found = [block for path in PAGES for block in blocks(path) if block.language == language]
    return [pytest.param(block, id=block.place) for block in found]


def run(block: Block) -> dict[str, Any]:
    """Execute an example; what needs a newer Airflow is skipped on an older one."""
    namespace: dict[str, Any] = {"__name__": "example"}
    try:
        exec(compile(block.code, block.place, "exec"), namespace)
    except ImportError as error:
        if not str(error.name or "").startswith("airflow.sdk"):
            raise
        pytest.skip(f"this Airflow is older than the example: {error}")
    return namespace


@pytest.mark.parametrize("block", all_blocks("python"))
def test_an_example_compiles_and_what_uses_the_package_runs(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile(block.code, block.place, "exec")
    if not IMPORTS.search(block.code):
        return
    monkeypatch.setattr(os, "environ", os.environ.copy())  # for those that set variables
    namespace = run(block)
    if "with DAG(" in block.code:
        from airflow.providers.common.compat.sdk import DAG

        dags = [value for value in namespace.values() if isinstance(value, DAG)]
        tasks = [value for value in namespace.values() if hasattr(value, "task_id")]
        for dag in dags:
            dag.check_cycle()
            assert dag.task_ids
        assert dags or tasks or "task_id=" in block.code


def examples_of_tests() -> Iterator[Any]:
    for path in PAGES:
        for block in blocks(path):
            if block.language != "python" or not IMPORTS.search(block.code):
                continue
            try:
                nodes = ast.parse(block.code).body
            except SyntaxError:  # the test above says so
                continue
            for node in nodes:
                if not (isinstance(node, ast.FunctionDef) and node.name.startswith("test_")):
                    continue
                if [argument.arg for argument in node.args.args] == ["contactcenter_sandbox"]:
                    yield pytest.param(block, node.name, id=node.name)


@pytest.mark.parametrize(("block", "name"), list(examples_of_tests()))
def test_an_example_of_a_test_passes(block: Block, name: str, contactcenter_sandbox: Sandbox) -> None:
    run(block)[name](contactcenter_sandbox)


@pytest.mark.parametrize("block", all_blocks("json"))
def test_an_example_in_json_is_json(block: Block) -> None:
    json.loads(block.code)


# --- parameters ---------------------------------------------------------------------------------------------


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """What a class's constructor takes, by this package's part of its ancestry."""
    found: dict[str, inspect.Parameter] = {}
    for ancestor in cls.__mro__:
        if ancestor.__module__.startswith(PACKAGE) and "__init__" in vars(ancestor):
            taken = inspect.signature(vars(ancestor)["__init__"]).parameters
            found = {**{n: p for n, p in taken.items() if p.kind is p.KEYWORD_ONLY}, **found}
    return found


#: class -> the heading of its section
TRANSFERS = {
    ContactCenterToS3Operator: "## S3",
    ContactCenterToGCSOperator: "## GCS",
    ContactCenterToAzureBlobOperator: "## Azure Blob",
    ContactCenterToSFTPOperator: "## SFTP",
    ContactCenterToFileOperator: "## A folder",
}
CLASSES = {
    ContactCenterReportOperator: ("how_it_works.md",),
    ContactCenterReportSensor: ("how_it_works.md",),
    **dict.fromkeys(TRANSFERS, ("transfers.md", "how_it_works.md")),
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_each_parameter_of_an_operator_has_a_row(cls: type) -> None:
    found = parameters(cls)
    assert "report" in found or "job" in found
    if cls is ContactCenterReportOperator:
        del found["job"]  # the base's
    named = {name for file in CLASSES[cls] for row in rows(page(file)) for name in ticked(row[0])} | set(
        ticked(page("how_it_works.md"))
    )
    assert set(found) - named == set()
    own = vars(cls)["__init__"]
    assert all(
        f"`{name}`" in page(CLASSES[cls][0]) for name in inspect.signature(own).parameters if name in found
    )


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=lambda builder: builder.__name__)
def test_each_parameter_of_a_builder_is_on_its_vendors_page(builder: Callable[..., Any]) -> None:
    [vendor] = [vendor for (vendor, _), function in BUILDERS.items() if function is builder]
    text = page(f"{vendor}.md")
    assert f"`{builder.__name__}" in text or f"{builder.__name__}(" in text
    assert [name for name in inspect.signature(builder).parameters if f"`{name}`" not in text] == []


def defaults() -> Iterator[Any]:
    """Each row of a parameter table whose second cell is a literal, with all defaults it may mean."""
    owners: Mapping[str, list[Mapping[str, inspect.Parameter]]] = {
        "talkdesk.md": [inspect.signature(BUILDERS["talkdesk", "report"]).parameters],
        "how_it_works.md": [parameters(ContactCenterReportOperator), parameters(ContactCenterReportSensor)],
        "transfers.md": [parameters(cls) for cls in TRANSFERS],
    }
    for file, signatures in owners.items():
        for row in rows(page(file)):
            [name, *more] = ticked(row[0]) or [""]
            known = [signature[name].default for signature in signatures if name in signature]
            if more or not known or not re.fullmatch("`[^`]+`", row[1]):
                continue
            try:
                written = ast.literal_eval(row[1].strip("`"))
            except (ValueError, SyntaxError):
                continue
            yield pytest.param(written, known, id=f"{file}-{name}")


@pytest.mark.parametrize(("written", "known"), list(defaults()))
def test_a_default_in_a_table_is_the_codes(written: Any, known: list[Any]) -> None:
    assert written in known


@pytest.mark.parametrize(("cls", "heading"), TRANSFERS.items())
def test_the_templated_fields_are_listed(cls: Any, heading: str) -> None:
    [line] = re.findall("^Templates: .*$", section(page("transfers.md"), heading), re.MULTILINE)
    assert ticked(line) == list(cls.template_fields)


# --- tables -------------------------------------------------------------------------------------------------

ERRORS = {
    name: error
    for name, error in vars(exceptions).items()
    if isinstance(error, type) and issubclass(error, exceptions.ContactCenterError)
}


def test_each_error_is_in_the_table_and_so_is_whether_it_is_retried() -> None:
    table = {
        ticked(row[0])[0]: row[-1]
        for row in rows(section(page("talkdesk.md"), "## Errors"))
        if ticked(row[0])
    }
    expected = {
        name: "no" if issubclass(error, AirflowFailException) else "yes" for name, error in ERRORS.items()
    }
    assert table == expected


def test_errors_that_pages_name_exist() -> None:
    named = {
        name
        for path in PAGES
        for name in re.findall(r"\bContactCenter\w*Error\b", path.read_text(encoding="utf-8"))
    }
    assert named <= set(ERRORS)


def test_talkdesks_status_words_are_listed() -> None:
    table = {
        word: row[1] for row in rows(section(page("talkdesk.md"), "## Statuses")) for word in ticked(row[0])
    }
    assert table == dict(talkdesk.STATES)


def test_content_types_are_listed() -> None:
    listed = rows(section(page("transfers.md"), "## Content type and compression"))
    table = {
        ticked(row[0])[0]: ticked(row[1])[0]
        for row in listed
        if not row[0].startswith("any") and ticked(row[1])
    }
    assert table == formats.CONTENT_TYPES


def test_each_hook_is_on_the_api_page() -> None:
    hooks = [str(registry.vendor(name).hook) for name in registry.OURS]
    assert [path for path in hooks if path not in page("api.md")] == []


# --- connections --------------------------------------------------------------------------------------------

TYPES = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}
SHARED = {"timeout", "verify", "cert", "proxy"}


def of_type(conn_type: str) -> str:
    [heading] = re.findall(rf"^## .*\(`{conn_type}`\)$", page("connections.md"), re.MULTILINE)
    return section(page("connections.md"), heading)


@pytest.mark.parametrize("conn_type", TYPES)
def test_each_extra_of_a_connection_has_a_row(conn_type: str) -> None:
    def names(text: str) -> set[str]:
        return {name for row in rows(text) for name in ticked(row[0])}

    extras = set(TYPES[conn_type]["conn-fields"])
    assert extras >= SHARED
    assert names(section(page("connections.md"), "## Extras of every type")) == SHARED
    assert extras - SHARED == names(of_type(conn_type))


@pytest.mark.parametrize("conn_type", TYPES)
def test_both_spellings_of_an_example_make_the_same_connection(
    conn_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spellings = re.findall(r"^export (.*)$", of_type(conn_type), re.MULTILINE)
    assert len(spellings) == 2
    settings = []
    for spelling in spellings:
        [assignment] = shlex.split(spelling)
        name, _, value = assignment.partition("=")
        assert name == f"AIRFLOW_CONN_{conn_type.upper()}_DEFAULT"
        assert "fake" in value
        monkeypatch.setenv(name, value)
        noun: Any = {"vendor": conn_type, "conn_id": f"{conn_type}_default"}
        settings.append(hook_for(noun).settings)
    # The conn_id is left out of the comparison; hosts may differ by the scheme that is meant anyway.
    assert settings[0] == settings[1]


# --- links --------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_internal_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_readme_is_read_elsewhere_too_so_its_links_are_whole_and_into_this_tree() -> None:
    found = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in found if "://" not in link] == []
    ours = re.compile(r"https://[\w.]+/(?:airflow-provider-contactcenter/){2}(?:blob/|tree/|)main/([^#]+)")
    paths = [match[1] for match in map(ours.match, found) if match]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_index_links_to_each_page() -> None:
    linked = re.findall(r"^([\w*]+)$", page("index.md"), re.MULTILINE)
    listed = {path.stem for pattern in linked for path in DOCS.glob(f"{pattern}.md")}
    assert listed == {path.stem for path in DOCS.glob("*.md")} - {"index"}
