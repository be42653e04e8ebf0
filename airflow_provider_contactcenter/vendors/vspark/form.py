"""The form of a V-Spark connection."""

from airflow_provider_contactcenter.vendors.protocol.form import Field, Form

FORM = Form(
    fields={
        "host": Field(
            label="API base URL", placeholder="such as https://vspark.acme.example.com:3000", required=True
        ),
        "password": Field(label="Token", required=True),
    },
)
