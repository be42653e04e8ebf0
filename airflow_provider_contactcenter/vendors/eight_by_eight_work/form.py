"""The form of an 8x8 Work Analytics connection."""

from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form

FORM = Form(
    fields={
        "host": Field(label="API base URL", placeholder="empty: https://api.8x8.com"),
        "login": Field(label="User name", placeholder="reports@acme.example.com", required=True),
        "password": Field(label="Password", required=True),
    },
    extras={
        "api_key": Extra(
            label="API key",
            description="The key made in 8x8 Admin Console; its secret isn't needed.",
            required=True,
            secret=True,
        ),
        "auth_url": Extra(
            label="Token endpoint",
            description="Where it isn't /analytics/work/v1/oauth/token on the API's host.",
        ),
    },
)
