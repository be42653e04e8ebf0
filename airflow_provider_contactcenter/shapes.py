"""What users write to say which columns land, under which names, in which format.

:func:`shape` checks what is there when it is called (the DAG file fails to parse, in one sentence) and lets
Jinja templates and XComArgs pass; :func:`check_shape` checks everything again when the task runs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, cast, get_args

from airflow_provider_contactcenter import checks
from airflow_provider_contactcenter.checks import InvalidValue, pending

FileFormat = Literal["csv", "jsonl", "parquet"]
OnNew = Literal["ignore", "warn", "fail"]

#: a column's name, or a path into JSON rows
Path = str | list[str]

#: the step of a path that stands for each item of an array
EACH = "[]"


class Shape(TypedDict):
    """Which columns land, under which names, in which format; made by :func:`shape`."""

    file_format: str | None
    select: list[Path] | None
    drop: list[Path] | None
    rename: dict[str, str] | str | None
    hash: list[Path] | None
    hash_conn_id: str | None
    types: dict[str, str] | None
    on_new: str


def shape(
    *,
    file_format: str | None = None,
    select: Sequence[str | Sequence[str]] | None = None,
    drop: Sequence[str | Sequence[str]] | None = None,
    rename: Mapping[str, str] | str | None = None,
    hash: Sequence[str | Sequence[str]] | None = None,
    hash_conn_id: str | None = None,
    types: Mapping[str, str] | None = None,
    on_new: str = "ignore",
) -> Shape:
    """Say which columns of a report land, under which names, in which format.

    Names are the vendor's, before renaming. A column that is named here and that the file doesn't have fails
    the task before anything appears. Every value may be a template.

    :param file_format: ``"csv"``, ``"jsonl"`` or ``"parquet"`` (needs the extra ``parquet``); None for what
        the report brings.
    :param select: the columns that land, in this order; all others don't. The safe way to keep personal data
        out: what the vendor adds later stays out, too. In JSON rows an item may be a path, a list of names in
        which ``"[]"`` stands for each item of an array: ``["agent", "phones", "[]", "no"]``.
    :param drop: the columns or paths that don't land; not together with ``select``.
    :param rename: ``{"vendor's name": "name"}``, or ``"snake"`` for names of ``a-z``, ``0-9`` and ``_``. Two
        columns that get one name, also by case, fail the task.
    :param hash: columns or paths whose values are replaced by the hex HMAC-SHA256 of their text. Empty values
        and nulls stay.
    :param hash_conn_id: the Airflow connection whose password is the key; needed with ``hash``.
    :param types: ``{"vendor's name": type}`` with ``string``, ``int64``, ``float64``, ``boolean``,
        ``decimal(p,s)``, ``date`` or ``timestamp[us, UTC]``; all others are text, nothing is inferred. A
        value that doesn't fit fails the task.
    :param on_new: what becomes of columns that none of the parameters names: ``"ignore"`` (they land, unless
        ``select`` is given), ``"warn"`` (the same, with a caveat) or ``"fail"``.
    :raises InvalidValue: a value can't be used; the message is one sentence.
    """
    given: dict[str, Any] = {
        "file_format": file_format,
        "select": select,
        "drop": drop,
        "rename": rename,
        "hash": hash,
        "hash_conn_id": hash_conn_id,
        "types": types,
        "on_new": on_new,
    }
    made = {
        name: value if value is None or pending(value) else _CHECKS[name](name, value)
        for name, value in given.items()
    }
    _check_together(made)
    return cast(Shape, made)


def check_shape(value: Any) -> Shape:
    """The shape behind a rendered template, a YAML file's or a user's dict; nothing may be pending any more.

    :raises InvalidValue: it can't be used; the message is one sentence.
    """
    value = checks.unquoted(value)
    if not isinstance(value, Mapping):
        raise InvalidValue(f"shape={value!r} is not allowed: give what shape(...) returns.")
    if unknown := [name for name in value if name not in _CHECKS]:
        raise InvalidValue(
            f"shape[{unknown[0]!r}] is not allowed: give only {', '.join(repr(name) for name in _CHECKS)}."
        )
    if found := checks.unrendered(value, "shape"):
        path, written = found
        raise InvalidValue(f"{path}={written!r} is not allowed: this template was never rendered.")
    return shape(**dict(value))


def column_type(name: str, value: Any) -> str:
    """One of the types that a column may be declared to have, in its normal form."""
    word = "".join(value.split()).lower() if isinstance(value, str) else ""
    if match := re.fullmatch(r"decimal\((\d{1,2}),(\d{1,2})\)", word, re.ASCII):
        precision, scale = int(match[1]), int(match[2])
        if 1 <= precision <= 38 and scale <= precision:
            return f"decimal({precision},{scale})"
    if word == "timestamp[us,utc]":
        return "timestamp[us, UTC]"
    if word in {"string", "int64", "float64", "boolean", "date"}:
        return word
    raise InvalidValue(
        f"{name}={value!r} is not allowed: give 'string', 'int64', 'float64', 'boolean', 'decimal(p,s)' "
        "with p from 1 to 38 and s from 0 to p, 'date' or 'timestamp[us, UTC]'."
    )


def shown(path: Path) -> str:
    """A column or a path, as sentences show it."""
    return repr(path)


def parts(path: Path) -> tuple[str, ...]:
    """A column or a path as steps."""
    return (path,) if isinstance(path, str) else tuple(path)


def _path(name: str, value: Any) -> Path:
    if isinstance(value, str) and value:
        return value
    steps = value if isinstance(value, list | tuple) else ()
    if not steps or not all(isinstance(step, str) and step for step in steps) or steps[0] == EACH:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give a column's name, or a path into JSON rows as a list of "
            "names, such as ['agent', 'phones', '[]', 'no']."
        )
    return steps[0] if len(steps) == 1 else list(steps)


def _whole(name: str, value: Any) -> Path:
    path = _path(name, value)
    if parts(path)[-1] == EACH:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: it ends in '[]', so name the array itself or something within "
            "its items."
        )
    return path


def _paths(check: checks.Check) -> checks.Check:
    def check_paths(name: str, value: Any) -> list[Path]:
        values = checks.unquoted(value)
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise InvalidValue(f"{name}={value!r} is not allowed: give a list of columns.")
        paths: list[Path] = [
            item if pending(item) else check(f"{name}[{index}]", item) for index, item in enumerate(values)
        ]
        for first, second in _pairs([path for path in paths if not pending(path)]):
            if parts(second)[: len(parts(first))] == parts(first):
                raise InvalidValue(
                    f"{name}={value!r} is not allowed: {shown(second)} is named twice, or lies within "
                    f"{shown(first)}."
                )
        return paths

    return check_paths


def _pairs(paths: list[Path]) -> Iterator[tuple[Path, Path]]:
    for at, first in enumerate(paths):
        for to, second in enumerate(paths):
            if at != to:
                yield first, second


def _rename(name: str, value: Any) -> dict[str, str] | str:
    values = checks.unquoted(value)
    if values == "snake":
        return "snake"
    if not isinstance(values, Mapping) or not values:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: give 'snake', or a dict of the vendor's names and the new "
            "ones."
        )
    renamed = {_name(f"a name in {name}", old): _name(f"{name}[{old!r}]", new) for old, new in values.items()}
    if (twice := collision(renamed.values())) is not None:
        raise InvalidValue(
            f"{name}={value!r} is not allowed: two columns get the name {twice!r} (case counts for nothing)."
        )
    return renamed


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue(f"{name}={value!r} is not allowed: give a non-empty string.")
    return value


def collision(names: Any) -> str | None:
    """The first name that stands there already, whatever its case."""
    seen = set()
    for name in names:
        if (folded := name.casefold()) in seen:
            return str(name)
        seen.add(folded)
    return None


def snake(name: str) -> str:
    """A name of ``a-z``, ``0-9`` and ``_``; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    plain = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return f"_{plain}" if plain[:1].isdigit() else plain


def _types(name: str, value: Any) -> dict[str, str]:
    values = checks.unquoted(value)
    if not isinstance(values, Mapping) or not values:
        raise InvalidValue(f"{name}={value!r} is not allowed: give a dict of columns and their types.")
    return {
        _name(f"a name in {name}", key): item if pending(item) else column_type(f"{name}[{key!r}]", item)
        for key, item in values.items()
    }


_CHECKS: dict[str, checks.Check] = {
    "file_format": checks.one_of(get_args(FileFormat)),
    "select": _paths(_whole),
    "drop": _paths(_whole),
    "rename": _rename,
    "hash": _paths(_path),
    "hash_conn_id": checks.text,
    "types": _types,
    "on_new": checks.one_of(get_args(OnNew)),
}


def _check_together(made: Mapping[str, Any]) -> None:
    """Refuse parameters that contradict each other, as far as they are known."""
    select, drop, hashed = made["select"], made["drop"], made["hash"]
    if made["on_new"] is None:
        raise InvalidValue("on_new=None is not allowed: give one of 'ignore', 'warn', 'fail'.")
    if select is not None and drop is not None:
        raise InvalidValue(
            f"drop={drop!r} is not allowed together with select: what isn't selected doesn't land anyway."
        )
    if hashed is not None and not made["hash_conn_id"]:
        raise InvalidValue(
            f"hash={hashed!r} is not allowed without hash_conn_id: give the connection whose password is the "
            "key."
        )
    if hashed is None and made["hash_conn_id"] is not None:
        raise InvalidValue(
            f"hash_conn_id={made['hash_conn_id']!r} is not allowed without hash: name the columns to hash."
        )
    if made["on_new"] != "ignore" and not any(
        made[name] for name in ("select", "drop", "rename", "hash", "types")
    ):
        raise InvalidValue(
            f"on_new={made['on_new']!r} is not allowed alone: every column would be new; name those that you "
            "know in select, drop, rename, hash or types."
        )
    if pending(made):
        return
    rename = made["rename"] if isinstance(made["rename"], dict) else {}
    types = made["types"] or {}
    named: list[tuple[str, Path]] = [
        *(("hash", path) for path in hashed or ()),
        *(("rename", name) for name in rename),
        *(("types", name) for name in types),
    ]
    for parameter, path in named:
        steps = parts(path)
        if any(steps[: len(parts(gone))] == parts(gone) for gone in drop or ()):
            raise InvalidValue(
                f"{parameter} names {shown(path)}, which drop leaves out: name it in one of them."
            )
        if select is None:
            continue
        within = any(steps[: len(parts(kept))] == parts(kept) for kept in select)
        # A column of which only a part is selected can be renamed all the same.
        around = parameter != "hash" and any(parts(kept)[0] == path for kept in select)
        if not within and not around:
            raise InvalidValue(f"{parameter} names {shown(path)}, which select leaves out: select it, too.")
    _check_names(made, select if select is not None else [path for _, path in named])
    for path in hashed or ():
        if types.get(parts(path)[0], "string") != "string":
            raise InvalidValue(
                f"types[{parts(path)[0]!r}]={types[parts(path)[0]]!r} is not allowed: the column is "
                "hashed, so it is text."
            )


def _check_names(made: Mapping[str, Any], landing: Sequence[Path]) -> None:
    """Refuse columns that are known to land, and to get one name."""
    rename = made["rename"]

    def renamed(name: str) -> str:
        if rename == "snake":
            return snake(name)
        return str(rename.get(name, name)) if rename else name

    names = list(dict.fromkeys(parts(path)[0] for path in landing))
    if (twice := collision(map(renamed, names))) is not None:
        first, *_, last = [name for name in names if renamed(name).casefold() == twice.casefold()]
        parameter = next(each for each in ("rename", "select", "hash", "types") if made[each] is not None)
        raise InvalidValue(
            f"{parameter}={made[parameter]!r} is not allowed: {first!r} and {last!r} get one name, {twice!r} "
            "(case counts for nothing, as in most warehouses)."
        )
