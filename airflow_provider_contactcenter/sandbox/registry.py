"""The APIs that the sandbox plays."""

from __future__ import annotations

from . import eight_by_eight_cc, eight_by_eight_work, khoros, talkdesk, vspark
from .model import Vendor

VENDORS: tuple[Vendor, ...] = (
    talkdesk.VENDOR,
    eight_by_eight_cc.VENDOR,
    eight_by_eight_work.VENDOR,
    khoros.VENDOR,
    vspark.VENDOR,
)
