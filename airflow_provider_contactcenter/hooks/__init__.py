"""One thin hook per vendor API, imported when it is needed; :func:`hook_class` finds it."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

from airflow_provider_contactcenter.vendors import registry

if TYPE_CHECKING:
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook
    from airflow_provider_contactcenter.nouns import Job, Report


def hook_for(noun: Report | Job) -> ContactCenterHook:
    """The hook that talks to the vendor of a report or job, on its connection."""
    return hook_class(noun["vendor"])(noun["conn_id"])


def shared_hook_for(noun: Report | Job) -> ContactCenterHook:
    """The same for triggers: those on one connection share a hook, which is stateless once built."""
    return _shared_hook(noun["vendor"], noun["conn_id"])


@functools.cache
def _shared_hook(vendor: str, conn_id: str) -> ContactCenterHook:
    return hook_class(vendor)(conn_id)


@functools.cache
def hook_class(vendor: str) -> type[ContactCenterHook]:
    """The hook class that a vendor's description names; one is made of the description where it names none.

    :raises ContactCenterInvalidReportError: there is no such vendor.
    """
    from airflow_provider_contactcenter.checks import InvalidValue
    from airflow_provider_contactcenter.exceptions import ContactCenterInvalidReportError

    try:
        description = registry.vendor(vendor)
    except InvalidValue as unknown:
        raise ContactCenterInvalidReportError(str(unknown)) from None
    if description.hook is not None:
        module, _, name = description.hook.rpartition(".")
        named: type[ContactCenterHook] = getattr(importlib.import_module(module), name)
        return named
    from airflow_provider_contactcenter.hooks.base import ContactCenterHook

    return type(
        "".join(part.title() for part in vendor.split("_")) + "Hook",
        (ContactCenterHook,),
        {
            "vendor_name": vendor,
            "conn_type": vendor,
            "default_conn_name": f"{vendor}_default",
            "hook_name": description.title,
        },
    )
