"""What a vendor's description lacks: pure checks, which send nothing and need no Airflow."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import urlsplit

from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import State
from airflow_provider_contactcenter.vendors.protocol.connection import ConnectionFields, Settings, Token
from airflow_provider_contactcenter.vendors.protocol.form import SHARED, UNSHOWN, Form
from airflow_provider_contactcenter.vendors.protocol.kind import Kind, Limits, Rows
from airflow_provider_contactcenter.vendors.protocol.messages import Request
from airflow_provider_contactcenter.vendors.protocol.refusals import Refusal, RefusalKind
from airflow_provider_contactcenter.vendors.protocol.vendor import Partly, Vendor

#: what is called -> its number of arguments
CALLED = {
    "settings": 1,
    "sign": 3,
    "submit": 2,
    "status": 1,
    "content": 1,
    "probe": 1,
    "authenticate": 1,
    "refused": 2,
}
OPTIONAL = {"cancel": 1, "available_until": 1}
#: of these, the ones that yield requests
OPERATIONS = ("submit", "status", "probe", "cancel", "available_until")
STANDARD_FIELDS = ("host", "schema", "login", "password", "port")
#: the words in an extra's name for which Airflow masks its value everywhere
MASKED = re.compile(
    "access_token|api_?key|authorization|passphrase|passw|private_key|proxy|proxies|secret|token|keyfile_dict"
    "|service_account"
)
NAME = re.compile("[a-z][a-z0-9_]*")


def complaints(vendor: object) -> list[str]:
    """What is missing or wrong in a description, a sentence for each; empty if it can be used."""
    if not isinstance(vendor, Vendor):
        return [f"It is a {type(vendor).__name__}, and has to be a vendors.protocol.vendor.Vendor."]
    checks: tuple[Callable[[Vendor], Iterator[str]], ...] = (_names, _form, _kinds, _calls, _states, _advice)
    found = [complaint for check in checks for complaint in check(vendor)]
    # What follows calls it.
    return found or list(_connection(vendor))


def _names(vendor: Vendor) -> Iterator[str]:
    if not NAME.fullmatch(str(vendor.name)):
        yield f"name={vendor.name!r}: give lower-case letters, digits and _; it is the connection type, too."
    for name in ("title", "noun"):
        if not _text(getattr(vendor, name)):
            yield f"{name} is empty: give the vendor's own word."
    docs = urlsplit(str(vendor.docs))
    if docs.scheme != "https" or not docs.hostname:
        yield f"docs={vendor.docs!r}: give the https URL of the vendor's documentation."
    if not isinstance(vendor.settle_delay, timedelta) or vendor.settle_delay < timedelta(0):
        yield f"settle_delay={vendor.settle_delay!r}: give a timedelta of at least nothing."


def _form(vendor: Vendor) -> Iterator[str]:
    form = vendor.form
    if not isinstance(form, Form):
        yield "form is no Form."
        return
    for name, shown in form.fields.items():
        if name not in STANDARD_FIELDS:
            yield f"form.fields[{name!r}]: the standard fields are {', '.join(STANDARD_FIELDS)}."
        if not _text(shown.label):
            yield f"form.fields[{name!r}] has no label."
    for name, extra in form.extras.items():
        where = f"form.extras[{name!r}]"
        if name in SHARED or name in UNSHOWN:
            yield f"{where}: every connection type has this extra already."
        if not (_text(extra.label) and _text(extra.description)):
            yield f"{where} needs a label and a description."
        if MASKED.search(name) and not extra.secret:
            yield (
                f"{where}: Airflow masks the value of an extra with this name everywhere; declare it "
                "secret=True, or take another name."
            )
        if not all(_text(choice) for choice in extra.choices):
            yield f"{where}: choices are texts."


def _kinds(vendor: Vendor) -> Iterator[str]:
    if not vendor.kinds:
        yield "kinds is empty: give at least one kind of report with its builder."
    for name, kind in vendor.kinds.items():
        where = f"kinds[{name!r}]"
        if not NAME.fullmatch(name):
            yield f"{where}: give a name of lower-case letters, digits and _."
        if not isinstance(kind, Kind) or not callable(kind.builder):
            yield f"{where} is no Kind with a builder."
            continue
        yield from _builder(vendor, name, kind, where)


def _builder(vendor: Vendor, name: str, kind: Kind, where: str) -> Iterator[str]:
    parameters = inspect.signature(kind.builder).parameters
    if not inspect.getdoc(kind.builder):
        yield f"{where}: its builder has no docstring."
    if any(each.kind is not each.KEYWORD_ONLY for each in list(parameters.values())[1:]):
        yield f"{where}: its builder's parameters are keyword-only, but for the first."
    if "conn_id" not in parameters or not _text(parameters["conn_id"].default):
        yield f"{where}: its builder needs a parameter conn_id with a default: '{vendor.name}_default'."
        return
    given = {key: f"{{{{ {key} }}}}" for key, each in parameters.items() if each.default is each.empty}
    try:
        report: Any = kind.builder(**given)
        json.dumps(report)
    except Exception as error:
        yield (
            f"{where}: its builder has to let templates pass and return JSON; with {given} it says "
            f"{type(error).__name__}: {error}."
        )
        return
    if not isinstance(report, Mapping) or not {"vendor", "kind", "conn_id", "params"} <= report.keys():
        yield f"{where}: its builder returns no report; vendors.protocol.reports.make_report makes one."
        return
    if (report["vendor"], report["kind"]) != (vendor.name, name):
        yield (
            f"{where}: its builder returns a report of vendor={report['vendor']!r}, kind={report['kind']!r}."
        )
    if report["params"].keys() != parameters.keys() - {"conn_id"}:
        yield f"{where}: the report's params have to be the builder's arguments, all but conn_id."
        return
    for part, made, called in (
        ("limits", Limits, "Limits"),
        ("settle_delay", timedelta | None, "timedelta, nor None"),
        ("rows", Rows, "Rows"),
    ):
        try:
            if not isinstance(getattr(kind, part)(report["params"]), made):
                yield f"{where}.{part} returns no {called}."
        except InvalidValue:
            pass  # it says what has to be known for it
        except Exception as error:
            yield f"{where}.{part} fails where values are templates still ({type(error).__name__}: {error})."


def _calls(vendor: Vendor) -> Iterator[str]:
    for name, count in (CALLED | OPTIONAL).items():
        function = getattr(vendor, name)
        if function is None and name in OPTIONAL:
            continue
        if not callable(function):
            yield f"{name} is missing: give a function of {count} argument{'s' * (count > 1)}."
            continue
        try:
            inspect.signature(function).bind(*[None] * count)
        except TypeError:
            yield f"{name} has to take {count} argument{'s' * (count > 1)}."
        if name in OPERATIONS and not inspect.isgeneratorfunction(function):
            yield f"{name} is no operation: it has to yield Requests, and is sent their Answers."


def _states(vendor: Vendor) -> Iterator[str]:
    known = {*get_args(State), *get_args(Partly)}
    for word, state in vendor.states.items():
        if word != word.lower() or not word.strip():
            yield f"states[{word!r}]: write the vendor's words in lower case."
        if state not in known:
            yield f"states[{word!r}]={state!r}: give one of {', '.join(sorted(known))}."
    if vendor.states and "ready" not in vendor.states.values():
        yield "states has no word for ready: no report would ever be fetched."


def _advice(vendor: Vendor) -> Iterator[str]:
    for kind, words in vendor.advice.items():
        if kind not in get_args(RefusalKind):
            yield f"advice[{kind!r}]: the kinds of refusal are {', '.join(get_args(RefusalKind))}."
        if not _text(words) or not words.endswith("."):
            yield f"advice[{kind!r}]: give a sentence, with its full stop."


def _connection(vendor: Vendor) -> Iterator[str]:
    """What a connection resolves to, and whether its secrets are declared."""
    secrets = {name: f"conform-{name}" for name, extra in vendor.form.extras.items() if extra.secret}
    extras: dict[str, Any] = {
        name: extra.choices[0] if extra.choices else 30 if extra.number else f"conform-{name}.example"
        for name, extra in vendor.form.extras.items()
    }
    full = ConnectionFields(
        conn_id="conform",
        host="https://conform.example",
        login="conform-login",
        password="conform-password",  # noqa: S106 - nobody's
        extra=extras | secrets,
    )
    try:
        vendor.settings(ConnectionFields(conn_id="conform"))
    except Refusal:
        pass
    except Exception as error:
        yield f"settings has to raise Refusal for an empty connection, not {type(error).__name__}: {error}."
    try:
        settings = vendor.settings(full)
    except Refusal:
        return  # it wants a value that can't be guessed here
    except Exception as error:
        yield f"settings fails for a full connection ({type(error).__name__}: {error})."
        return
    if not isinstance(settings, Settings) or (settings.vendor, settings.conn_id) != (vendor.name, "conform"):
        yield "settings has to return Settings with the vendor's name and the connection's id."
        return
    for name, value in secrets.items():
        if value not in settings.secrets:
            yield f"settings has to put the secret extra {name!r} into Settings.secret, or logs may show it."
    if any(value in repr(settings) for value in secrets.values()):
        yield "settings shows a secret in its repr: put it into Settings.secret alone."
    try:
        signed = vendor.sign(Request("GET", "/conform"), settings, Token("conform-token", 60.0))
    except Refusal:
        return
    except Exception as error:
        yield f"sign fails ({type(error).__name__}: {error})."
        return
    if not isinstance(signed, Request):
        yield "sign has to return the Request with the credentials."


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
