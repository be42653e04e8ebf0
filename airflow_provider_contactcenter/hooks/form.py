"""The connection form for Airflow 2.11, which asks the hook class; Airflow 3 reads the provider info."""

from __future__ import annotations

from typing import Any

from airflow_provider_contactcenter.get_provider_info import get_provider_info


def declared(conn_type: str) -> dict[str, Any]:
    """What the provider info says of a connection type."""
    return next(
        entry for entry in get_provider_info()["connection-types"] if entry["connection-type"] == conn_type
    )


def behaviour(conn_type: str) -> dict[str, Any]:
    """Hidden, renamed and explained standard fields, under the names that the hook method uses."""
    fields = declared(conn_type)["ui-field-behaviour"]
    return {
        "hidden_fields": fields["hidden-fields"],
        "relabeling": fields["relabeling"],
        "placeholders": fields["placeholders"],
    }


def widgets(conn_type: str) -> dict[str, Any]:
    """One input field per extra; a secret one hides what is typed."""
    from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
    from wtforms import PasswordField, StringField

    return {
        name: (
            PasswordField(field["label"], description=field["description"], widget=BS3PasswordFieldWidget())
            if field["schema"].get("format") == "password"
            else StringField(field["label"], description=field["description"], widget=BS3TextFieldWidget())
        )
        for name, field in declared(conn_type)["conn-fields"].items()
    }
