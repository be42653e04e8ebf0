"""The form of an 8x8 Contact Center connection."""

from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form

FORM = Form(
    fields={
        "host": Field(label="API base URL", placeholder="empty: https://api.8x8.com"),
        "login": Field(label="API key", required=True),
        "password": Field(label="API key's secret", required=True),
    },
    extras={
        "region": Extra(
            label="Region",
            description="Where the Contact Center tenant lives; us if empty.",
            choices=("us", "eu", "au", "ca"),
        ),
        "api_version": Extra(
            label="API version", description="Version in the path of the API; v8 if empty.", placeholder="v8"
        ),
        "tenant_id": Extra(
            label="Tenant",
            description="Id of the tenant, for customers with several; sent as X-Tenant-Info.",
            placeholder="acme01",
        ),
        "auth_url": Extra(
            label="Token endpoint", description="Where it isn't /oauth/v2/token on the API's host."
        ),
    },
)
