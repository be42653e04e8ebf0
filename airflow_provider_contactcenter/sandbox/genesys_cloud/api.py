"""Genesys Cloud: token, and the analytics jobs for details of conversations and users.

Sources: *specification* is the vendor's Swagger; *SDK* its published clients; *page* its developer pages, as
far as they could be read; *clients* is what public third-party clients send and accept. No question that
these leave open is decided here: each reading is an option, and the default is what most of them bear out.

Invented, because no document that could be read describes it: the words of errors except for missing
permissions, 429 and the token endpoint; 400 for a window that is reversed, of no length or in the future; 400
for results that aren't there yet; which conversations and users there are; how a dimension finds its field;
the form of cursors; that a user's fragment is a slot of the day; the values of all limits but 300 requests a
minute and 512,000 bytes; the order of the checks of a request.
"""

from __future__ import annotations

from ..model import Connections, Route, Vendor, json_reply
from .access import CLIENT_ID, CLIENT_SECRET, LIMITS, guarded, token, watermark_permission
from .errors import REFUSALS
from .jobs import availability, cancel, create, limits, poll
from .options import OPTIONS
from .pages import results


def connections(base_url: str) -> Connections:
    """The default connection: a gateway's, with one prefix for the API and one for the login."""
    return {
        "genesys_cloud_default": {
            "conn_type": "genesys_cloud",
            "host": f"{base_url}/platform",
            "login": CLIENT_ID,
            "password": CLIENT_SECRET,
            "extra": {"auth_url": f"{base_url}/login/oauth/token"},
        }
    }


#: a gateway's prefix may stand before the API's paths and before the login's
JOBS = r"(?:/platform)?/api/v2/analytics/(?P<subject>conversations|users)/details/jobs"
JOB = JOBS + r"/(?P<id>[^/]+)"
NAMESPACE = r"(?:/platform)?/api/v2/organizations/limits/namespaces/analytics"

VENDOR = Vendor(
    name="genesys_cloud",
    prefix="/genesys",
    routes=(
        Route("token", "POST", r"(?:/login)?/oauth/token", token),
        Route("availability", "GET", JOBS + "/availability", guarded(availability, watermark_permission)),
        Route("create", "POST", JOBS, guarded(create)),
        Route("poll", "GET", JOB, guarded(poll)),
        Route("results", "GET", JOB + "/results", guarded(results)),
        Route("cancel", "DELETE", JOB, guarded(cancel)),
        Route("limits", "GET", NAMESPACE, guarded(limits, lambda subject: (LIMITS,))),
    ),
    connections=connections,
    options=OPTIONS,
    refusals=REFUSALS,
    not_found=json_reply(
        {"message": "HTTP 404 Not Found", "code": "not.found", "status": 404, "details": [], "errors": []},
        404,
    ),
)
