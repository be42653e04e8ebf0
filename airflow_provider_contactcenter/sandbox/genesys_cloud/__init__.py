"""Genesys Cloud analytics jobs, as the sandbox plays them."""

from __future__ import annotations

from .api import VENDOR

__all__ = ["VENDOR"]
