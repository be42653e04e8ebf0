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
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_contactcenter import exceptions, links, reports
from airflow_provider_contactcenter.get_provider_info import get_provider_info
from airflow_provider_contactcenter.hooks import base as hooks
from airflow_provider_contactcenter.hooks import hook_for
from airflow_provider_contactcenter.life import run as run_of
from airflow_provider_contactcenter.life import waiting
from airflow_provider_contactcenter.nouns import Delivery, Report
from airflow_provider_contactcenter.operators.report import ContactCenterReportOperator
from airflow_provider_contactcenter.pipeline import formats
from airflow_provider_contactcenter.sandbox import Sandbox
from airflow_provider_contactcenter.sensors.report import ContactCenterReportSensor
from airflow_provider_contactcenter.stores import azure_blob, gcs
from airflow_provider_contactcenter.transfers.contact_center_to_azure_blob import (
    ContactCenterToAzureBlobOperator,
)
from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator
from airflow_provider_contactcenter.transfers.contact_center_to_gcs import ContactCenterToGCSOperator
from airflow_provider_contactcenter.transfers.contact_center_to_s3 import ContactCenterToS3Operator
from airflow_provider_contactcenter.transfers.contact_center_to_sftp import ContactCenterToSFTPOperator
from airflow_provider_contactcenter.transport import on_aiohttp, policy, tokens
from airflow_provider_contactcenter.triggers import deferral
from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.eight_by_eight_cc import reports as eight_by_eight_cc
from airflow_provider_contactcenter.vendors.talkdesk import api as talkdesk
from airflow_provider_contactcenter.vendors.talkdesk import reports as talkdesk_reports

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


# --- numbers ------------------------------------------------------------------------------------------------

MIB = 1 << 20
NUMBERS: list[tuple[str, str, Any, Any]] = [
    ("how_it_works", "after ten seconds at the earliest", deferral.SHORTEST_DEFERRAL, timedelta(seconds=10)),
    ("testing_your_dags", "takes at least ten seconds", deferral.SHORTEST_DEFERRAL, timedelta(seconds=10)),
    ("how_it_works", "half an hour after the deadline", deferral.BACKSTOP, timedelta(minutes=30)),
    ("how_it_works", "grows by half with each look", waiting.GROWTH, 1.5),
    ("how_it_works", "Pauses vary by 10 %", waiting.JITTER, 0.1),
    ("how_it_works", "up to four times without a byte of progress", policy.REOPENINGS, 4),
    ("scale", "at most eight connections to the vendor", on_aiohttp.CONNECTIONS, 8),
    ("genesys_cloud", "The vendor is asked three times at most", hooks.CANCEL_TRIES, 3),
    ("talkdesk", "rows may arrive up to five minutes late", talkdesk.SETTLE_DELAY, timedelta(minutes=5)),
    (
        "talkdesk",
        "those of `audit_logs` up to an hour",
        talkdesk_reports.SETTLE_DELAYS["audit_logs"],
        timedelta(hours=1),
    ),
    ("talkdesk", "after one minute, then two, four, eight and fifteen", run_of.QUOTA_PAUSE, 60),
    ("talkdesk", "after one minute, then two, four, eight and fifteen", run_of.LONGEST_QUOTA_PAUSE, 15 * 60),
    ("talkdesk", "renewed a minute before", tokens.LEAD, 60),
    ("transfers", "| `chunk_size` | 10 MiB |", gcs.CHUNK_SIZE, 10 * MIB),
    ("transfers", "a multiple of 256 KiB", gcs.CHUNK_UNIT, 256 * 1024),
    ("transfers", "a blob has at most 50,000 blocks", azure_blob.MOST_BLOCKS, 50_000),
]


@pytest.mark.parametrize(("name", "sentence", "known", "told"), NUMBERS, ids=[each[1] for each in NUMBERS])
def test_a_number_in_a_sentence_is_the_codes(name: str, sentence: str, known: Any, told: Any) -> None:
    assert sentence in page(f"{name}.md")
    assert known == told


# --- reports ------------------------------------------------------------------------------------------------

DAY: dict[str, Any] = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z"}


def detailed(report_type: str) -> Report:
    return reports.eight_by_eight_detailed_report(report_type, **DAY)


def summary(granularity: str = "day", **values: Any) -> Report:
    return reports.eight_by_eight_summary_report(
        "queue", granularity=granularity, group_by="media", include_grand_total=True, **{**DAY, **values}
    )


def work(summary: str, **values: Any) -> Report:
    return reports.eight_by_eight_work_summary(summary, pbx_id="allpbxes", **values, **DAY)


VSPARK = reports.vspark_stats(company="A", organization="B", **DAY)
KHOROS = reports.khoros_care_report("conversation", **DAY)
LEGS = reports.eight_by_eight_call_legs(pbx_id="allpbxes", **DAY)
CALLS = reports.talkdesk_report("calls", **DAY)
CONVERSATIONS = reports.genesys_conversations(**DAY)
DETAILS = "detailed-reports-interaction-details"

#: first cell of a row of "What a row is" -> reports that it is about
ROWS: dict[str, list[Report]] = {
    "Talkdesk `user_status`": [reports.talkdesk_report("user_status", **DAY)],
    "Talkdesk, all others": [CALLS, reports.talkdesk_report("contacts", **DAY)],
    "8x8 Contact Center summary": [summary()],
    f"8x8 Contact Center `{DETAILS}`": [detailed(DETAILS)],
    "8x8 Work call legs": [LEGS],
    "8x8 Work call records": [reports.eight_by_eight_call_records(pbx_id="allpbxes", **DAY)],
    "8x8 Work `company`": [work("company")],
    "8x8 Work `extension`, `ring-group`, `ring-group-member`": [
        work("extension"),
        work("ring-group"),
        work("ring-group-member", extension="5001"),
    ],
    "Genesys Cloud conversations": [CONVERSATIONS],
    "Genesys Cloud users": [reports.genesys_users(**DAY)],
    "Khoros Care, V-Spark": [KHOROS, VSPARK],
}


def kinds_of(table: Iterable[Iterable[Report]]) -> set[tuple[str, str]]:
    return {(report["vendor"], report["kind"]) for reports in table for report in reports}


def test_what_a_row_is_stands_in_a_table_for_each_kind_of_report() -> None:
    [_, *listed] = rows(section(page("windows.md"), "## What a row is"))
    assert [row[0] for row in listed] == list(ROWS)
    assert kinds_of(ROWS.values()) == set(BUILDERS)
    for name, grain, key, duplicates in listed:
        for said in map(reports.describe, ROWS[name]):
            assert (said["key"] or []) == ticked(key)
            assert bool(said["grain"]) == bool(grain)
            assert bool(said["duplicates"]) == bool(duplicates)
            assert said["version"] is None
            if grain and len(ROWS[name]) == 1:
                assert grain.split()[1] in str(said["grain"])


#: the same of "Long ranges"
SPANS: dict[str, list[Report]] = {
    "Talkdesk": [CALLS],
    "8x8 Contact Center summary": [summary()],
    "8x8 Contact Center detailed": [detailed(DETAILS)],
    "8x8 Work": [LEGS, *ROWS["8x8 Work call records"], work("company")],
    "Genesys Cloud": [CONVERSATIONS, *ROWS["Genesys Cloud users"]],
    "Khoros Care": [KHOROS],
    "V-Spark": [VSPARK],
}


def test_how_long_windows_are_and_rows_are_kept_stands_in_a_table() -> None:
    text = section(page("windows.md"), "## Long ranges")
    [_, *listed] = rows(text[text.index("| report | longest window |") :])
    assert [row[0] for row in listed] == list(SPANS)
    assert kinds_of(SPANS.values()) == set(BUILDERS)
    now = datetime(2024, 5, 1, tzinfo=UTC)
    for name, longest, kept in listed:
        for report in SPANS[name]:
            kind = registry.kind_of(report)
            assert bool(kind.kept_since) == kept.startswith("two years")
            assert not kind.kept_since or kind.kept_since(now) == now.replace(year=2022)
            if ticked(longest):
                continue  # the next test's
            limits = kind.limits(report["params"])
            assert (limits.longest == timedelta(days=31)) == longest.startswith("31 days")
            assert bool(limits.whole_days_in) == ("whole days" in longest)
            assert bool(limits.longest) == (longest[0].isdigit())


def test_how_long_a_summarys_window_may_be_stands_in_the_table_by_its_granularity() -> None:
    listed = rows(section(page("windows.md"), "## Long ranges"))
    [cell] = [row[1] for row in listed if row[0] == "8x8 Contact Center summary"]
    hour = timedelta(hours=1)  # where the clocks change
    spans = {"a week": timedelta(days=7) + hour, "a month": timedelta(days=31) + hour, "any": None}
    told = {
        word: spans[part.rpartition("`")[2].strip()]
        for part in cell.removeprefix("by `granularity`: ").split(";")
        for word in ticked(part)
    }
    kind = registry.kind_of(summary())
    known = {word for *_, words in eight_by_eight_cc.GRANULARITIES for word in words}
    assert told == {word: kind.limits({"granularity": word}).longest for word in known}


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
