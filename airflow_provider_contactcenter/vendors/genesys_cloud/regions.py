"""Where Genesys Cloud lives (the vendor's SDK, ``purecloud_region_hosts``; the last one: its other SDKs)."""

from __future__ import annotations

#: AWS name of the region -> domain: the API is at ``api.<domain>``, tokens come from ``login.<domain>``
REGIONS = {
    "us_east_1": "mypurecloud.com",
    "us_east_2": "use2.us-gov-pure.cloud",
    "us_west_2": "usw2.pure.cloud",
    "ca_central_1": "cac1.pure.cloud",
    "mx_central_1": "mxc1.pure.cloud",
    "sa_east_1": "sae1.pure.cloud",
    "eu_west_1": "mypurecloud.ie",
    "eu_west_2": "euw2.pure.cloud",
    "eu_central_1": "mypurecloud.de",
    "eu_central_2": "euc2.pure.cloud",
    "eusc_de_east_1": "edee1.eusc-pure.cloud",
    "me_central_1": "mec1.pure.cloud",
    "ap_south_1": "aps1.pure.cloud",
    "ap_southeast_1": "apse1.pure.cloud",
    "ap_southeast_2": "mypurecloud.com.au",
    "ap_northeast_1": "mypurecloud.jp",
    "ap_northeast_2": "apne2.pure.cloud",
    "ap_northeast_3": "apne3.pure.cloud",
}


def domain_of(region: str) -> str | None:
    """The domain of a region: by its AWS name, with hyphens or underscores, or by the domain itself."""
    name = region.strip().lower()
    if name in REGIONS.values():
        return name
    return REGIONS.get(name.replace("-", "_"))
