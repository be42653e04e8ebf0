"""The form of a Khoros Care connection."""

from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form

FORM = Form(
    fields={
        "host": Field(
            label="API base URL", placeholder="such as https://analytics-api.app.lithium.com", required=True
        ),
        "login": Field(label="User name", placeholder="reports@acme.example.com", required=True),
        "password": Field(label="Password", required=True),
    },
    extras={
        "company_api_key": Extra(
            label="Company key",
            description="Sent as companyKey; from Khoros's administrator.",
            required=True,
            secret=True,
        ),
    },
)
