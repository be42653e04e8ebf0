"""Rows that come in pages, landing as JSON lines.

Call legs of 8x8 Work come in pages of 7,000, interactions of 8x8 Contact Center (95 values each) in pages of
1,000.

- ``ours``: the operator, to local disk: counted, hashed, proved.
- ``dlt``: dlt's REST source, which writes JSON lines to local disk (its filesystem destination). Lists in
  a row stay there (``max_table_nesting=0``); by default dlt makes tables of them, which takes longer.
- ``bare, json`` and ``bare, orjson``: a loop over the pages with requests, which writes each row to local
  disk. Nothing is counted, retried or proved.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.racing import Figures, Line, Options, Race, Unmeasured, flat, in_turn, run, say
from tests.benchmarks.vendor import WINDOW, context, sandbox

PAGE = 7000
PARAMS = {
    "pbxId": "acmecorp",
    "startTime": "2025-05-01 00:00:00",
    "endTime": "2025-05-02 00:00:00",
    "timeZone": "UTC",
    "pageSize": str(PAGE),
}


# --- sides --------------------------------------------------------------------------------------------------


def ours(given: dict[str, Any]) -> Callable[[], Figures]:
    from airflow_provider_contactcenter import reports
    from airflow_provider_contactcenter.hooks import eight_by_eight_cc, eight_by_eight_work  # noqa: F401
    from airflow_provider_contactcenter.transfers.contact_center_to_file import ContactCenterToFileOperator

    if given["detailed"]:
        report = reports.eight_by_eight_detailed_report("detailed-reports-interaction-details", **WINDOW)
    else:
        report = reports.eight_by_eight_call_legs(pbx_id="acmecorp", page_size=PAGE, **WINDOW)
    path = f"{given['folder']}/ours-{os.getpid()}.jsonl"
    task = ContactCenterToFileOperator(task_id="rows", report=report, path=path, deferrable=False)

    def execute() -> Figures:
        return {"rows": int(task.execute(context())["rows"])}

    return execute


def dlt(given: dict[str, Any]) -> Callable[[], Figures]:
    import dlt as tool
    from dlt.sources.helpers.rest_client.paginators import HeaderCursorPaginator, JSONResponseCursorPaginator
    from dlt.sources.rest_api import rest_api_source

    class Scroll(JSONResponseCursorPaginator):
        """The cursor behind the last page is two words."""

        def update_state(self, response: requests.Response, data: Any = None) -> None:
            super().update_state(response, data)
            if self._next_reference == "No Data":
                self._next_reference = None
                self._has_next_page = False

    folder = Path(given["folder"]) / f"dlt-{os.getpid()}"
    pipeline = tool.pipeline(
        pipeline_name=f"legs{os.getpid()}",
        pipelines_dir=str(folder / "state"),
        destination=tool.destinations.filesystem(bucket_url=(folder / "out").as_uri()),
        dataset_name="work",
    )

    def execute() -> Figures:
        resource: dict[str, Any] = {"name": "rows", "max_table_nesting": 0}
        if given["detailed"]:
            url, headers = _interactions()
            resource["endpoint"] = {
                "path": "data",
                "params": {"size": "1000"},
                "data_selector": "$",
                "paginator": HeaderCursorPaginator("Last-Document-Id", "lastDocumentId"),
            }
            resource["processing_steps"] = [
                {"map": lambda row: {item["key"]: item["value"] for item in row["items"]}}
            ]
        else:
            url, headers = _token(given)
            resource["endpoint"] = {
                "path": "v2/call-legs",
                "params": PARAMS,
                "data_selector": "data",
                "paginator": Scroll(cursor_path="meta.scrollId", cursor_param="scrollId"),
            }
        source = rest_api_source({"client": {"base_url": url, "headers": headers}, "resources": [resource]})
        pipeline.run(source, loader_file_format="jsonl")
        counts: dict[str, int] = pipeline.last_trace.last_normalize_info.row_counts
        return {"rows": counts["rows"]}

    return execute


def bare_json(given: dict[str, Any]) -> Callable[[], Figures]:
    return lambda: _loop(given, json.loads, lambda row: json.dumps(row).encode() + b"\n")


def bare_orjson(given: dict[str, Any]) -> Callable[[], Figures]:
    import orjson

    option = orjson.OPT_APPEND_NEWLINE
    return lambda: _loop(given, orjson.loads, lambda row: orjson.dumps(row, option=option))


def _loop(given: dict[str, Any], load: Callable[[bytes], Any], dump: Callable[[Any], bytes]) -> Figures:
    url, headers = _token(given)
    rows, cursor = 0, None
    with requests.Session() as http, (Path(given["folder"]) / "rows.jsonl").open("wb") as out:
        http.headers.update(headers)
        while cursor != "No Data":
            params = {**PARAMS, "scrollId": cursor} if cursor else PARAMS
            page = load(http.get(f"{url}/v2/call-legs", params=params, timeout=60).content)
            cursor = page["meta"]["scrollId"]
            rows += len(page["data"])
            for row in page["data"]:
                out.write(dump(row))
    return {"rows": rows}


def _token(given: dict[str, Any]) -> tuple[str, dict[str, str]]:
    connection = json.loads(os.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_WORK_DEFAULT"])
    extra = connection["extra"]
    key = {"8x8-apikey": extra["api_key"]}
    form = {"username": connection["login"], "password": connection["password"]}
    token = requests.post(extra["auth_url"], data=form, headers=key, timeout=60).json()["access_token"]
    return f"{connection['host']}/analytics/work", {**key, "Authorization": f"Bearer {token}"}


def _interactions() -> tuple[str, dict[str, str]]:
    """Submit a detailed report by hand; returns its address."""
    connection = json.loads(os.environ["AIRFLOW_CONN_EIGHT_BY_EIGHT_CC_DEFAULT"])
    token = requests.post(
        connection["extra"]["auth_url"],
        data={"grant_type": "client_credentials"},
        auth=(connection["login"], connection["password"]),
        timeout=60,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    url = f"{connection['host']}/analytics/cc/v8/historical-metrics/detailed-reports"
    body = {
        "type": "detailed-reports-interaction-details",
        "title": "bench",
        "dateRange": {"start": "2025-05-01T00:00:00.000Z", "end": "2025-05-01T23:59:59.999Z"},
    }
    return f"{url}/{requests.post(url, json=body, headers=headers, timeout=60).json()['id']}", headers


# --- the run ------------------------------------------------------------------------------------------------


def measure(options: Options) -> Iterator[Line]:
    """The lines of both kinds of pages."""
    legs = {"dlt": "dlt", "bare, json": "bare_json", "bare, orjson": "bare_orjson"}
    yield from _raced(options, "call legs → JSON lines", False, legs, 8)
    yield from _raced(options, "detailed rows → JSON lines", True, {"dlt": "dlt"}, 6)


def _raced(
    options: Options, what: str, detailed: bool, peers: dict[str, str], at_least: float
) -> Iterator[Line]:
    rows = max(7_000, round(210_000 * options.scale))
    say(f"  {rows:,} {what}")
    race = Race("pages", rows, "rows")
    names = {"ours": "ours", **peers}
    missing: list[Line] = []
    with (
        tempfile.TemporaryDirectory(prefix="contactcenter-bench-") as folder,
        sandbox() as vendor,
    ):
        environ, given = vendor.environ, {"folder": folder, "detailed": detailed}

        def of(count: int) -> None:
            for name in ("eight_by_eight_work", "eight_by_eight_cc"):
                vendor.set_options(name, rows=count)

        of(rows)
        for turn in range(options.turns(1)):
            for name in in_turn([*names], turn):
                try:
                    found = race.side(name, names[name], environ, **given)
                except Unmeasured as why:
                    missing.append(Line(f"{rows:,} {what}", "", f"{name}: not measured, {why}"))
                    continue
                    assert found["rows"] == rows, f"{name} took {found['rows']} rows of {rows}"
        of(rows // 3)
        third = run("pages", "ours", environ, given)
    for name in peers:
        if name in race.found:
            yield race.speed(f"{rows:,} {what}", name, at_least if name == "dlt" else None)
    yield from missing
    yield flat(f"the same, memory against {rows // 3:,}", third, race.found["ours"][-1], at_most=32)
