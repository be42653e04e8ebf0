"""Provider metadata for Airflow. Airflow reads it in every process at start, so it imports nothing."""

from __future__ import annotations

from typing import Any

PACKAGE = "airflow_provider_contactcenter"
_OPTIONAL_TEXT = {"type": ["string", "null"]}

#: the extras that every connection type takes
_SHARED_FIELDS: dict[str, Any] = {
    "timeout": {
        "label": "Timeout (seconds)",
        "description": "Seconds to wait for a connection and for each read; 60 if empty.",
        "schema": {"type": ["number", "null"]},
    },
    "verify": {
        "label": "Verify TLS",
        "description": "true, false, or the path of a CA bundle on worker and triggerer.",
        "schema": _OPTIONAL_TEXT,
    },
    "cert": {
        "label": "Client certificate",
        "description": "Path of a PEM file with certificate and key on worker and triggerer.",
        "schema": _OPTIONAL_TEXT,
    },
    "proxy": {
        "label": "Proxy",
        "description": "URL of an HTTP proxy; the environment's if empty.",
        "schema": _OPTIONAL_TEXT,
    },
}

_TALKDESK: dict[str, Any] = {
    "connection-type": "talkdesk",
    "hook-class-name": f"{PACKAGE}.hooks.talkdesk.TalkdeskHook",
    "hook-name": "Talkdesk Explore",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "API base URL", "login": "Client ID", "password": "Client secret"},
        "placeholders": {"host": "empty: the region's, such as https://api.talkdeskapp.com"},
    },
    "conn-fields": {
        "account": {
            "label": "Account",
            "description": "The account's sub-domain: the first part of <account>.talkdeskid.com.",
            "schema": _OPTIONAL_TEXT,
        },
        "region": {
            "label": "Region",
            "description": "Where the account lives; us if empty.",
            "schema": {"type": ["string", "null"], "enum": ["us", "eu", "ca", None]},
        },
        "auth_url": {
            "label": "Token endpoint",
            "description": "Where it isn't the usual one of account and region.",
            "schema": _OPTIONAL_TEXT,
        },
        "scope": {
            "label": "Scope",
            "description": "Scopes to ask for, separated by spaces; all that were granted if empty.",
            "schema": _OPTIONAL_TEXT,
        },
        **_SHARED_FIELDS,
    },
}

_VENDORS = [
    {
        "integration-name": "Talkdesk Explore",
        "external-doc-url": "https://docs.talkdesk.com/reference/check-a-report-status",
        "tags": ["service"],
    },
]

_STORES = {"Amazon S3": "contact_center_to_s3", "Google Cloud Storage": "contact_center_to_gcs"}


def get_provider_info() -> dict[str, Any]:
    """Describe the provider: runtime schema ``airflow/provider_info.schema.json``."""
    vendor = "Contact center"
    return {
        "package-name": "airflow-provider-contactcenter",
        "name": "Contact center",
        "description": "Lands contact-center reports in S3 or GCS, complete and once.",
        "integrations": [
            {
                "integration-name": vendor,
                "external-doc-url": "https://pypi.org/project/airflow-provider-contactcenter/",
                "tags": ["service"],
            },
            *_VENDORS,
        ],
        "connection-types": [_TALKDESK],
        "hooks": [{"integration-name": "Talkdesk Explore", "python-modules": [f"{PACKAGE}.hooks.talkdesk"]}],
        "operators": [{"integration-name": vendor, "python-modules": [f"{PACKAGE}.operators.report"]}],
        "sensors": [{"integration-name": vendor, "python-modules": [f"{PACKAGE}.sensors.report"]}],
        "triggers": [{"integration-name": vendor, "python-modules": [f"{PACKAGE}.triggers.report"]}],
        "transfers": [
            {
                "source-integration-name": vendor,
                "target-integration-name": store,
                "python-module": f"{PACKAGE}.transfers.{module}",
            }
            for store, module in _STORES.items()
        ],
    }
