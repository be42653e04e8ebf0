"""Reports that stand in a YAML file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from airflow_provider_contactcenter import shapes
from airflow_provider_contactcenter.checks import InvalidValue
from airflow_provider_contactcenter.nouns import Report
from airflow_provider_contactcenter.vendors import registry

Builder = Callable[..., Report]


def load_reports(path: str | PathLike[str], /, **defaults: Any) -> dict[str, Report]:
    """Make the reports that stand in a YAML file, by their names.

    ``load_reports(Path(__file__).with_name("reports.yaml"), **day_window("Europe/Berlin"))`` with::

        defaults:
          conn_id: talkdesk_north
        reports:
          calls:
            builder: talkdesk_report
            report_type: calls
          contacts:
            builder: talkdesk_report
            report_type: contacts
            file_format: jsonl
            shape: {drop: [contact_person_number]}

    A report's own values win over ``defaults`` of the call, and these over the file's. A default that a
    builder doesn't take is passed over for its reports. Templates are strings, so write them in quotes.
    Times are as YAML has them, and need an offset: ``2024-05-01T00:00:00Z``.

    :param path: the file; by its place alone, so that ``path=...`` is a value for the reports.
    :param defaults: values for every report whose builder takes them, such as ``start`` and ``end``.
    :return: name -> report, in the file's order; a report's ``shape`` stands in it beside its ``params``.
    :raises InvalidValue: the file can't be read, or holds what can't be used: a sentence for each, with its
        line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(
            f"path={str(path)!r} is not allowed: the file can't be read ({error}); name a YAML file, in a "
            "DAG best as Path(__file__).with_name('reports.yaml')."
        ) from None
    reading = _Reading(file.name, text)
    reports = reading.reports(defaults)
    if reading.complaints:
        raise InvalidValue(*reading.complaints)
    return reports


class _Entry(NamedTuple):
    """What stands in a mapping, and in which line; None is a value of the caller's."""

    value: Any
    line: int | None


class _Reading:
    """One file, read as far as it goes; what can't be used is in ``complaints``."""

    def __init__(self, name: str, text: str) -> None:
        import yaml  # a DAG file that doesn't use it shouldn't pay for it

        self.complaints: list[str] = []
        self._name = name
        self._yaml = yaml
        self._loader = yaml.SafeLoader(text)
        try:
            self._root = self._loader.get_single_node()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            self._root = None
            self._complain(mark.line + 1 if mark else 1, f"this is not YAML ({problem}).")
            return
        for key in _twice(self._root, yaml, set()):
            self._complain(
                key.start_mark.line + 1,
                f"{key.value!r} stands there twice, and YAML takes the last; give it once.",
            )

    def reports(self, given: Mapping[str, Any]) -> dict[str, Report]:
        """All reports that can be made."""
        if self._root is None and self.complaints:
            return {}
        top = self._mapping(_Entry(self._root, 1), "the file", "a mapping with 'reports'")
        for key, entry in top.items():
            if key not in ("defaults", "reports"):
                self._complain(
                    entry.line, f"{key!r} is not allowed here: a file has 'defaults' and 'reports'."
                )
        nothing = _Entry(None, 1)
        defaults = self._entries(top.get("defaults", nothing), "defaults")
        defaults |= {name: _Entry(value, None) for name, value in given.items()}
        entries = self._mapping(top.get("reports", nothing), "reports", "a mapping of names to reports")
        if not entries and not self.complaints:
            self._complain(
                top.get("reports", nothing).line, "there is no report: give at least one under 'reports'."
            )
        made: dict[str, Report] = {}
        untaken = dict(defaults)
        for name, entry in entries.items():
            own = self._entries(entry, f"report {name!r}")
            builder = self._builder(name, own, entry.line)
            if builder is None:
                untaken.clear()  # nobody knows what it would take
                continue
            taken = {*inspect.signature(builder).parameters, "shape"}
            values = {key: entry for key, entry in defaults.items() if key in taken} | own
            report = self._report(name, builder, values, entry.line)
            for key in taken:
                untaken.pop(key, None)
            if report is not None:
                made[name] = report
        for name, entry in untaken.items() if entries else ():
            self._complain(
                entry.line,
                f"{name}={entry.value!r} is not allowed among the defaults: no report's builder takes it.",
            )
        return made

    def _builder(self, name: str, own: dict[str, _Entry], line: int | None) -> Builder | None:
        """The builder that a report names."""
        builders: dict[str, Builder] = {found.__name__: found for found in registry.builders().values()}
        known = ", ".join(builders)
        entry = own.pop("builder", None)
        if entry is None:
            self._complain(line, f"report {name!r} has no builder: give one of {known}.")
            return None
        if not isinstance(entry.value, str) or entry.value not in builders:
            self._complain(
                entry.line,
                f"report {name!r}: builder={entry.value!r} is not allowed: give one of {known}.",
            )
            return None
        return builders[entry.value]

    def _report(
        self, name: str, builder: Builder, values: dict[str, _Entry], line: int | None
    ) -> Report | None:
        """One report, or None if it can't be made."""
        parameters = inspect.signature(builder).parameters
        shape = values.pop("shape", _Entry(None, None))
        complaints = [
            (entry.line, f"{key}={entry.value!r} is not allowed: {builder.__name__} takes no such parameter.")
            for key, entry in values.items()
            if key not in parameters
        ]
        complaints += [
            (line, f"{key} is missing: {builder.__name__} needs it.")
            for key, parameter in parameters.items()
            if parameter.default is parameter.empty and key not in values
        ]
        report: Report | None = None
        if not complaints:
            try:
                report = builder(**{key: entry.value for key, entry in values.items()})
            except InvalidValue as invalid:
                complaints = [(_place(complaint, values), complaint) for complaint in invalid.complaints]
        made, refused = _shape(shape.value)
        complaints += [(shape.line, complaint) for complaint in refused]
        for place, complaint in complaints:
            self._complain(line if place is None else place, f"report {name!r}: {complaint}")
        if report is not None and made is not None:
            report["shape"] = made
        return report

    def _entries(self, mapping: _Entry, what: str) -> dict[str, _Entry]:
        """The values of a mapping."""
        entries = {}
        for key, entry in self._mapping(mapping, what, "a mapping").items():
            try:
                entries[key] = _Entry(self._loader.construct_object(entry.value, deep=True), entry.line)
            except (self._yaml.YAMLError, ValueError) as error:
                self._complain(
                    entry.line, f"{what}: {key} can't be read ({getattr(error, 'problem', error)})."
                )
        return entries

    def _mapping(self, mapping: _Entry, what: str, wanted: str) -> dict[str, _Entry]:
        """The nodes of a mapping; nothing stands for an empty one."""
        node = mapping.value
        if node is None or (isinstance(node, self._yaml.ScalarNode) and not node.value):
            return {}
        if not isinstance(node, self._yaml.MappingNode):
            self._complain(mapping.line, f"{what} is not allowed like this: give {wanted}.")
            return {}
        self._loader.flatten_mapping(node)  # what << brings in
        return {str(key.value): _Entry(value, key.start_mark.line + 1) for key, value in node.value}

    def _complain(self, line: int | None, complaint: str) -> None:
        self.complaints.append(f"{self._name}{'' if line is None else f':{line}'}: {complaint}")


def _shape(given: Any) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The shape that stands in a file, and what is wrong with it."""
    if given is None:
        return None, ()
    if not isinstance(given, dict):
        return None, (f"shape={given!r} is not allowed: give a mapping.",)
    try:
        inspect.signature(shapes.shape).bind(**given)
        return dict(shapes.shape(**given)), ()
    except TypeError as error:
        return None, (f"shape={given!r} is not allowed: {error}.",)
    except InvalidValue as invalid:
        return None, tuple(f"shape: {complaint}" for complaint in invalid.complaints)


def _place(complaint: str, values: Mapping[str, _Entry]) -> int | None:
    """The line of the parameter that a builder's sentence begins with."""
    named = re.match(r"\w+", complaint)
    entry = values.get(named[0]) if named else None
    return entry.line if entry else None


def _twice(node: Any, yaml: Any, known: set[int]) -> Iterator[Any]:
    """The keys that stand in a mapping again, at any depth; << may."""
    if isinstance(node, yaml.ScalarNode) or node is None or id(node) in known:
        return
    known.add(id(node))
    seen: set[str] = set()
    for item in node.value:
        key, value = item if isinstance(node, yaml.MappingNode) else (None, item)
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                yield key
            seen.add(key.value)
        yield from _twice(value, yaml, known)
