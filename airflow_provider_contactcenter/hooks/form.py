"""A vendor's connection form in Airflow's words.

Airflow 3 reads it from the provider info, where it stands as :func:`connection_type` gives it; Airflow 2.11
asks the hook class.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor

#: standard fields that are hidden unless a form names them, in the order in which Airflow shows them
_STANDARD = ("host", "schema", "login", "password", "port")


def connection_type(vendor: Vendor, hook_class: str) -> dict[str, Any]:
    """The entry of a vendor's connection type in the provider info."""
    shown = behaviour(vendor.form)
    return {
        "connection-type": vendor.name,
        "hook-class-name": hook_class,
        "hook-name": vendor.title,
        "ui-field-behaviour": {name.replace("_", "-"): value for name, value in shown.items()},
        "conn-fields": {
            name: {"label": _label(extra), "description": extra.description, "schema": _schema(extra)}
            for name, extra in vendor.form.all_extras.items()
        },
    }


def behaviour(form: Form) -> dict[str, Any]:
    """Hidden, renamed and explained fields, under the names that the hook method uses."""
    hints: dict[str, Field | Extra] = {**form.fields, **form.all_extras}
    return {
        "hidden_fields": [name for name in _STANDARD if name not in form.fields],
        "relabeling": {name: _label(field) for name, field in form.fields.items()},
        "placeholders": {name: hint.placeholder for name, hint in hints.items() if hint.placeholder},
    }


def widgets(form: Form) -> dict[str, Any]:
    """One input field per extra; a secret one hides what is typed."""
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import PasswordField, StringField

    return {
        name: (
            PasswordField(_label(extra), description=extra.description, widget=BS3PasswordFieldWidget())
            if extra.secret
            else StringField(_label(extra), description=extra.description, widget=BS3TextFieldWidget())
        )
        for name, extra in form.all_extras.items()
    }


def _label(field: Field | Extra) -> str:
    return f"{field.label} (required)" if field.required else field.label


def _schema(extra: Extra) -> dict[str, Any]:
    # Nothing demands a value: the form would refuse to save what another field makes up for. A drop-down can
    # be cleared as it is; a None among its words would be shown as "null".
    schema: dict[str, Any] = {"type": ["number" if extra.number else "string", "null"]}
    if extra.choices:
        schema["enum"] = list(extra.choices)
    if extra.secret:
        schema["format"] = "password"
    return schema
