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

_EIGHT_BY_EIGHT_CC: dict[str, Any] = {
    "connection-type": "eight_by_eight_cc",
    "hook-class-name": f"{PACKAGE}.hooks.eight_by_eight_cc.EightByEightContactCenterHook",
    "hook-name": "8x8 Contact Center",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "API base URL", "login": "API key", "password": "API key's secret"},
        "placeholders": {"host": "empty: https://api.8x8.com"},
    },
    "conn-fields": {
        "region": {
            "label": "Region",
            "description": "Where the Contact Center tenant lives; us if empty.",
            "schema": {"type": ["string", "null"], "enum": ["us", "eu", "au", "ca", None]},
        },
        "api_version": {
            "label": "API version",
            "description": "Version in the path of the API; v8 if empty.",
            "schema": _OPTIONAL_TEXT,
        },
        "tenant_id": {
            "label": "Tenant",
            "description": "Id of the tenant, for customers with several; sent as X-Tenant-Info.",
            "schema": _OPTIONAL_TEXT,
        },
        "auth_url": {
            "label": "Token endpoint",
            "description": "Where it isn't /oauth/v2/token on the API's host.",
            "schema": _OPTIONAL_TEXT,
        },
        **_SHARED_FIELDS,
    },
}

_EIGHT_BY_EIGHT_WORK: dict[str, Any] = {
    "connection-type": "eight_by_eight_work",
    "hook-class-name": f"{PACKAGE}.hooks.eight_by_eight_work.EightByEightWorkHook",
    "hook-name": "8x8 Work Analytics",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "API base URL", "login": "User name", "password": "Password"},
        "placeholders": {"host": "empty: https://api.8x8.com"},
    },
    "conn-fields": {
        "api_key": {
            "label": "API key",
            "description": "The key made in 8x8 Admin Console; its secret isn't needed.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "auth_url": {
            "label": "Token endpoint",
            "description": "Where it isn't /analytics/work/v1/oauth/token on the API's host.",
            "schema": _OPTIONAL_TEXT,
        },
        **_SHARED_FIELDS,
    },
}

_KHOROS_CARE: dict[str, Any] = {
    "connection-type": "khoros_care",
    "hook-class-name": f"{PACKAGE}.hooks.khoros_care.KhorosCareHook",
    "hook-name": "Khoros Care Analytics Reports",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port"],
        "relabeling": {"host": "API base URL", "login": "User name", "password": "Password"},
        "placeholders": {"host": "such as https://analytics-api.app.lithium.com"},
    },
    "conn-fields": {
        "company_api_key": {
            "label": "Company key",
            "description": "Sent as companyKey; from Khoros's administrator.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        **_SHARED_FIELDS,
    },
}

_VSPARK: dict[str, Any] = {
    "connection-type": "vspark",
    "hook-class-name": f"{PACKAGE}.hooks.vspark.VSparkHook",
    "hook-name": "V-Spark",
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login"],
        "relabeling": {"host": "API base URL", "password": "Token"},
        "placeholders": {"host": "such as https://vspark.example.com:3000"},
    },
    "conn-fields": {**_SHARED_FIELDS},
}

_VENDORS = [
    {
        "integration-name": "8x8 Contact Center",
        "external-doc-url": "https://developer.8x8.com/analytics/docs/cc-historical-analytics-summary-report",
        "tags": ["service"],
    },
    {
        "integration-name": "8x8 Work Analytics",
        "external-doc-url": "https://developer.8x8.com/analytics/docs/work-analytics-call-legs",
        "tags": ["service"],
    },
    {
        "integration-name": "Khoros Care Analytics Reports",
        "external-doc-url": "https://developer.khoros.com/khoroscaredevdocs/docs/",
        "tags": ["service"],
    },
    {
        "integration-name": "V-Spark",
        "external-doc-url": "https://docs.vocitec.com/V-Spark/en/reference-for-the--stats-api.html",
        "tags": ["service"],
    },
    {
        "integration-name": "Talkdesk Explore",
        "external-doc-url": "https://docs.talkdesk.com/reference/check-a-report-status",
        "tags": ["service"],
    },
]

#: integration -> the module of its hook
_HOOKS = {
    "Talkdesk Explore": "talkdesk",
    "Khoros Care Analytics Reports": "khoros_care",
    "V-Spark": "vspark",
    "8x8 Contact Center": "eight_by_eight_cc",
    "8x8 Work Analytics": "eight_by_eight_work",
}

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
        "connection-types": [_TALKDESK, _EIGHT_BY_EIGHT_CC, _EIGHT_BY_EIGHT_WORK, _KHOROS_CARE, _VSPARK],
        "hooks": [
            {"integration-name": name, "python-modules": [f"{PACKAGE}.hooks.{module}"]}
            for name, module in _HOOKS.items()
        ],
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
