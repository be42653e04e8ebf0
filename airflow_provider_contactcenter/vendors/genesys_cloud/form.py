"""The form of a Genesys Cloud connection."""

from __future__ import annotations

from airflow_provider_contactcenter.vendors.genesys_cloud.regions import REGIONS
from airflow_provider_contactcenter.vendors.protocol.form import Extra, Field, Form

FORM = Form(
    fields={
        "host": Field(
            label="API base URL", placeholder="empty: the region's, such as https://api.mypurecloud.com"
        ),
        "login": Field(label="Client ID", required=True),
        "password": Field(label="Client secret", required=True),
    },
    extras={
        "region": Extra(
            label="Region",
            description="The AWS region of the organization; us_east_1 if empty. A client is known in its "
            "own region only. The extra also takes a domain, such as mypurecloud.de.",
            choices=tuple(REGIONS),
        ),
        "auth_url": Extra(
            label="Token endpoint",
            description="Where it isn't the region's, such as https://login.mypurecloud.com/oauth/token.",
        ),
    },
)
