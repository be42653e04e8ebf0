"""8x8 Work Analytics, as the sandbox plays it."""

from __future__ import annotations

from .api import VENDOR

__all__ = ["VENDOR"]
