"""The pages of JSON in which 8x8 Contact Center gives its reports, and the rows that are made of them.

Summary reports are read by the number of a page, detailed ones behind the id of the last row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from airflow_provider_contactcenter.nouns import Job
from airflow_provider_contactcenter.vendors.eight_by_eight_cc.asking import JSON, ask, path_of
from airflow_provider_contactcenter.vendors.protocol.content import Page
from airflow_provider_contactcenter.vendors.protocol.messages import Answer, Operation, Request, words_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal
from airflow_provider_contactcenter.vendors.protocol.written import raw

#: rows of a page at most, of summary and detailed reports alike
PAGE_SIZE = 1000
#: where the vendor cuts a summary report's JSON, without a word (seed 000, "6a")
CAP = 10_000

#: marks the rows of a summary report that sum up others; no column of the vendor's begins with "_"
TOTAL_MARK = "_total"


@dataclass(frozen=True)
class Summarized:
    """How far the pages of a summary report have been read."""

    #: the page to ask for
    number: int = 0
    #: rows of the pages before
    rows: int = 0
    #: how many of them sum up others
    sums: int = 0
    #: whether a link led here
    linked: bool = False
    #: the total that the vendor gave first
    total: int | None = None


def summary_page(job: Job, cursor: Summarized | None) -> Operation[Page]:
    """A page by its number."""
    before = cursor or Summarized()
    number = before.number
    answer = yield from _page_asked(
        Request(
            "GET",
            f"{path_of(job)}/data",
            params=(("page", str(number)), ("size", str(PAGE_SIZE))),
            headers=JSON,
        ),
        begun=number > 0,
    )
    params = job["report"]["params"]
    rows, new_sums = _rows_in(answer, marked=params["include_subtotals"] or params["include_grand_total"])
    total, pages = _number(answer, "x-total-elements"), _number(answer, "x-total-pages")
    walked, sums = before.rows + len(rows), before.sums + new_sums
    if max(walked, total or 0) >= CAP:
        raise Refusal(
            "capped",
            f"the vendor cuts its JSON at {CAP:,} rows, and this report has {max(walked, total or 0):,}; use "
            'file_format="csv", which has no cap',
        )
    if _number(answer, "x-page") not in (None, number):
        raise Refusal("incomplete", f"page {number} was asked for, page {answer.headers['x-page']} came")
    full, link = _is_full(answer, rows), "next" in _links_in(answer)
    signs = [
        # "Will not be present if there are no more pages" ("6a"): true of a vendor that sends links at all,
        # and no proof that a full page was the last.
        link or (False if before.linked and not full else None),
        None if pages is None else number + 1 < pages,
        None if total is None else walked < total,
    ]
    # Where nothing is said about further pages, a full one may have a successor.
    more = any(signs) if any(sign is not None for sign in signs) else bool(rows) and full
    if more and not rows:
        raise Refusal("incomplete", f"page {number} is empty, though more rows were announced")
    first = total if before.total is None else before.total
    if more:
        return Page(rows, Summarized(number + 1, walked, sums, link, first))
    # No document says whether rows that sum up others are among the vendor's elements.
    return Page(rows, None, walked if first == walked - sums else first)


def _is_full(answer: Answer, rows: Sequence[Any]) -> bool:
    """Whether a page holds as many rows as a page may: if nothing else is said, others may follow."""
    return len(rows) >= (_number(answer, "x-page-size") or PAGE_SIZE)


def _page_asked(request: Request, *, begun: bool) -> Operation[Answer]:
    """Ask for a page. Once rows have come, a refusal isn't one of the report's parameters."""
    try:
        return (yield from ask(request))
    except Refusal as refusal:
        if not (begun and refusal.answered and refusal.kind in {"invalid", "missing"}):
            raise
        raise refusal.but("incomplete", f"the pages broke off: {refusal.words}") from None


def detailed_page(job: Job, cursor: str | None) -> Operation[Page]:
    """A page by the last row's id, which the first page must not name; the last page gives none."""
    params = [("size", str(PAGE_SIZE))]
    if cursor is not None:
        params.append(("lastDocumentId", cursor))
    answer = yield from _page_asked(
        Request("GET", f"/detailed-reports{path_of(job)}/data", params=params, headers=JSON),
        begun=cursor is not None,
    )
    rows, _ = _rows_in(answer)
    last, link = answer.headers.get("last-document-id", "").strip(), _links_in(answer).get("next")
    if not last and link:
        last = parse_qs(urlsplit(link.replace("+", "%2B")).query).get("lastDocumentId", [""])[0]
    if "%" in last:
        last = unquote(last)  # base64 has none, so it came percent-encoded
    if link and not (rows and last):
        raise Refusal("incomplete", "the vendor names a next page, but this one has no rows or no cursor")
    total = _number(answer, "x-total-elements")
    if rows and not last and total is None and _is_full(answer, rows):
        # The documents give each page a total, so that a full one may be the last; here headers went missing.
        raise Refusal(
            "incomplete",
            f"a full page of {len(rows)} rows came without Last-Document-Id and X-Total-Elements, so that "
            "more may follow; see whether a proxy strips headers of the vendor's",
        )
    return Page(rows, last or None if rows else None, total)


class _Item(msgspec.Struct, gc=False):
    key: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Row(msgspec.Struct, gc=False):
    items: list[_Item] | dict[str, msgspec.Raw] | None
    total: Any = None
    totals: Any = None


_PAGE = msgspec.json.Decoder(list[_Row])


def _rows_in(answer: Answer, *, marked: bool = False) -> tuple[list[Any], int]:
    """The rows of a page, a hundred values each, and how many of them sum up others.

    They are read at once, or one by one where something is odd.
    """
    page = answer.decoded(_PAGE)
    rows = [] if page is None else [flat(row, marked=marked) for row in page]
    odd = page is None or any(msgspec.UNSET in row.values() for row in rows)
    if odd:
        body = answer.written()
        if not isinstance(body, list):
            raise Refusal(
                "unavailable", f"the answer to data is no list of rows; it says: {words_of(answer)}"
            )
        try:
            rows = [flat(_row_of(row), marked=marked) for row in body]
        except (AttributeError, KeyError, TypeError):
            raise Refusal("unavailable", "a row is not made of items with key and value") from None
    sums = sum(1 for row in rows if row.get(TOTAL_MARK))
    return [raw(row) for row in rows] if odd else rows, sums


def _row_of(row: Any) -> _Row:
    """A row of a page that has been read as a whole."""
    items: Any = row["items"] or {}
    if not isinstance(items, dict):
        items = [_Item(_key_of(item), _value_of(item)) for item in items]
    return _Row(items, row.get("total"), row.get("totals"))


def _key_of(item: Mapping[str, Any]) -> str:
    """An item's key; a number is text that was read."""
    if not isinstance(item["key"], str):
        raise TypeError
    return item["key"]


def _value_of(item: Mapping[str, Any]) -> Any:
    """An item's value; where there is nothing but key and label, a null was left out."""
    return None if item.keys() <= {"key", "label"} else item["value"]


def flat(row: _Row, *, marked: bool = False) -> dict[str, Any]:
    """One object of a row, whose ``items`` are a list of key, label and value, or an object already.

    Rows that sum up others hold the vendor's ``total`` under ``_total``, before their columns; with
    ``marked`` all rows do, the others with None. Where a key comes again with another value, that one
    is kept as ``<key>#2``.
    """
    items, total = row.items or {}, row.total or row.totals
    start: dict[str, Any] = {TOTAL_MARK: total} if marked or total is not None else {}
    made = start | (items if isinstance(items, dict) else {item.key: item.value for item in items})
    if len(made) == len(start) + len(items):
        return made
    made = start
    pairs = items.items() if isinstance(items, dict) else [(item.key, item.value) for item in items]
    for key, value in pairs:
        name, count = key, 1
        while name in made and made[name] != value:
            count += 1
            name = f"{key}#{count}"
        made[name] = value
    return made


def _number(answer: Answer, header: str) -> int | None:
    value = answer.headers.get(header, "").strip()
    return int(value) if value.isascii() and value.isdigit() else None


def _links_in(answer: Answer) -> dict[str, str]:
    """The links of a header by their relation. The seed closes one bracket behind the relation."""
    link = r'<\s*([^<>;,\s]+)\s*(?:>\s*)?;\s*rel\s*=\s*"?([A-Za-z]+)"?'
    return {relation: url for url, relation in re.findall(link, answer.headers.get("link", ""))}
