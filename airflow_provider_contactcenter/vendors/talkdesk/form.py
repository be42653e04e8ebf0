"""The form of a Talkdesk connection."""

from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form

FORM = Form(
    fields={
        "host": Field(
            label="API base URL", placeholder="empty: the region's, such as https://api.talkdeskapp.com"
        ),
        "login": Field(label="Client ID", required=True),
        "password": Field(label="Client secret", required=True),
    },
    extras={
        "account": Extra(
            label="Account",
            description="The account's sub-domain, the first part of <account>.talkdeskid.com. Required "
            "unless the token endpoint is given.",
            placeholder="acme",
        ),
        "region": Extra(
            label="Region", description="Where the account lives; us if empty.", choices=("us", "eu", "ca")
        ),
        "auth_url": Extra(
            label="Token endpoint", description="Where it isn't the usual one of account and region."
        ),
        "scope": Extra(
            label="Scope",
            description="Scopes to ask for, separated by spaces; all that were granted if empty.",
        ),
    },
)
