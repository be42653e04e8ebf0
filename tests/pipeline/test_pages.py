"""What a report that comes in pages says of itself."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from airflow_provider_contactcenter.pipeline.source import PageSource
from airflow_provider_contactcenter.vendors.protocol.content import Page, Pages


def no_page(cursor: Any) -> Any:
    raise AssertionError("this test asks for its pages itself")


def facts(caveat: str | None, *pages: Page) -> tuple[int | None, bool | None, list[str]]:
    left = list(pages)

    def ask(cursor: Hashable | None) -> Page:
        return left.pop(0)

    source = PageSource(Pages(no_page, caveat), ask)
    assert b"".join(source.pieces()).count(b"\n") == source.facts.rows
    return source.facts.rows, source.facts.complete, source.facts.caveats


def test_pages_without_a_caveat_are_complete() -> None:
    assert facts(None, Page([{"a": 1}], "next"), Page([{"a": 2}], None)) == (2, True, [])


def test_a_caveat_that_only_a_page_knows_is_passed_on() -> None:
    doubted = Page([{"a": 2}], None, caveat="Rows after 12:00 may come later.")
    assert facts(None, Page([{"a": 1}], "next"), doubted) == (2, None, ["Rows after 12:00 may come later."])


def test_the_same_caveat_is_said_once() -> None:
    pages = [Page([{"a": 1}], "next", caveat="Old."), Page([], None, caveat="New.")]
    assert facts("Old.", *pages) == (1, None, ["Old.", "New."])
