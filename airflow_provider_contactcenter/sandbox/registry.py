"""The APIs that the sandbox plays."""

from __future__ import annotations

from . import khoros, talkdesk, vspark
from .model import Vendor

VENDORS: tuple[Vendor, ...] = (
    talkdesk.VENDOR,
    khoros.VENDOR,
    vspark.VENDOR,
)
