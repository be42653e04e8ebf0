"""A vendor's connection form as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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

    @property
    def all_extras(self) -> Mapping[str, Extra]:
        """The vendor's own extras, and those that every connection type takes."""
        return {**self.extras, **SHARED}
