"""What a tenant of 8x8 Contact Center offers: its report types, and whether a report fits one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_provider_contactcenter.vendors.eight_by_eight_cc.asking import JSON, ask
from airflow_provider_contactcenter.vendors.protocol.messages import Operation, Request, quoted, words_of
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal


def report_types() -> Operation[list[dict[str, Any]]]:
    """The definitions of all report types that the tenant offers, summary and detailed."""
    answer = yield from ask(Request("GET", "/report-types", headers=JSON))
    types = answer.json()
    if not isinstance(types, list):
        raise Refusal("unavailable", f"the answer to report-types is no list; it says: {words_of(answer)}")
    return [definition for definition in types if isinstance(definition, dict)]


def definition_of(report_type: str) -> Operation[Mapping[str, Any]]:
    """The definition of one report type.

    :raises Refusal: (invalid) the tenant has no such type; names those that it has.
    """
    try:
        answer = yield from ask(Request("GET", f"/report-types/{quoted(report_type)}", headers=JSON))
    except Refusal as refusal:
        if refusal.kind not in {"missing", "invalid"} or "x-tenant-info" in refusal.words.lower():
            raise
        types = []
    else:
        body = answer.json()
        types = [found for found in (body if isinstance(body, list) else [body]) if isinstance(found, dict)]
    if not types:
        types = yield from report_types()
    for definition in types:
        if definition.get("type", report_type) == report_type:
            return definition
    raise _not_offered("report_type", report_type, [str(found.get("type")) for found in types])


def _not_offered(name: str, value: str, offered: Collection[str]) -> Refusal:
    return Refusal(
        "invalid",
        f"{name}={value!r} is not offered to this tenant, which has {', '.join(offered) or 'none'}",
    )


def check_offered(kind: str, params: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Compare a report with the definition of its type.

    What a definition leaves out isn't compared: the documents show two shapes and may add more.

    :raises Refusal: (invalid) the tenant doesn't offer what the report asks for; names what it does.
    """
    groupings = dict(_grouping(found) for found in definition.get("groupBy") or ())
    searches = definition.get("searchQuery")
    searches = searches if isinstance(searches, Mapping) else {}
    detailed = bool(searches) and not groupings
    if detailed != (kind == "detailed") and (groupings or searches):
        other = "detailed" if detailed else "summary"
        raise Refusal(
            "invalid",
            f"report_type={params['report_type']!r} is a {other} report: ask for it with "
            f"eight_by_eight_{other}_report",
        )
    wanted: list[tuple[str, Sequence[str], Collection[str]]] = [
        # The seed's prose calls the list "value", its example "metrics".
        ("metrics", params["metrics"] or (), _names(definition.get("metrics") or definition.get("value"))),
    ]
    if kind == "summary":
        wanted.append(("group_by", [params["group_by"]], groupings))
        filters = groupings.get(params["group_by"])
        for name in params["filters"] or {}:
            if filters is not None and name not in filters:
                raise _not_offered(f"with group_by={params['group_by']!r} the filter", name, filters)
    else:
        terms = params["search"] or ()
        for one, several in (("field", "fields"), ("operator", "operators")):
            wanted.append((f"search {one}", [term[one] for term in terms], _names(searches.get(several))))
    for name, values, offered in wanted:
        for value in values:
            if offered and value not in offered:
                raise _not_offered(name, value, offered)


def _grouping(found: Any) -> tuple[str, list[str] | None]:
    """The name of a grouping and its filters; None where the definition doesn't speak of any."""
    if not isinstance(found, Mapping):
        return str(found), None
    filters = found.get("filters")
    return str(found.get("name")), None if filters is None else _names(filters)


def _names(found: Any) -> list[str]:
    """What a definition lists: plain strings, or objects with a name, as its groupings are."""
    return [str(item.get("name") if isinstance(item, Mapping) else item) for item in found or ()]
