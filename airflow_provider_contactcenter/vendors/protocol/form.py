"""A vendor's connection form as data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True, kw_only=True)
class Field:
    """A standard field that the vendor uses, under the vendor's name for it."""

    label: str
    placeholder: str = ""
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Extra:
    """A field of the connection's extra."""

    label: str
    description: str
    #: the only values that are taken; the first is what an empty field means
    choices: Sequence[str] = ()
    placeholder: str = ""
    number: bool = False
    required: bool = False
    #: hidden where it is typed, masked in logs
    secret: bool = False


#: the extras that every connection type takes
SHARED: Mapping[str, Extra] = {
    "timeout": Extra(
        label="Timeout (seconds)",
        description="Seconds to wait for a connection and for each read; 60 if empty.",
        number=True,
    ),
    "verify": Extra(
        label="Verify TLS",
        description="true, false, or the path of a CA bundle on worker and triggerer; true if empty.",
    ),
    "cert": Extra(
        label="Client certificate",
        description="Path of a PEM file with certificate and key on worker and triggerer.",
    ),
    "proxy": Extra(label="Proxy", description="URL of an HTTP proxy; the environment's if empty."),
}

#: extras that are taken and that no form shows: another spelling of ``proxy``
UNSHOWN = ("proxies",)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a connection of one vendor holds. Standard fields that aren't named are hidden."""

    #: host, schema, login, password, port
    fields: Mapping[str, Field]
    extras: Mapping[str, Extra] = field(default_factory=dict)

    def labelled(self, words: str) -> str:
        """A sentence that names fields of the connection, with their labels where the form shows others."""
        labels = {name: shown.label for name, shown in self.fields.items()}
        labels |= {name: shown.label for name, shown in self.all_extras.items()}

        def with_label(found: re.Match[str]) -> str:
            label = labels.get(found[1])
            if label is None or label.lower().startswith(found[1].replace("_", " ")):
                return found[0]
            return f"{found[0]} ({label} in the form)"

        return re.sub(r"the connection's (\w+)", with_label, words)

    def unknown(self, extra: Iterable[str]) -> dict[str, str | None]:
        """The names of extras that mean nothing to this connection type, each with the nearest that does."""
        known = [*self.all_extras, *UNSHOWN]
        return {
            name: next(iter(get_close_matches(name.lower(), known, n=1)), None)
            for name in extra
            if name not in known
        }

    @property
    def all_extras(self) -> Mapping[str, Extra]:
        """The vendor's own extras, and those that every connection type takes."""
        return {**self.extras, **SHARED}
