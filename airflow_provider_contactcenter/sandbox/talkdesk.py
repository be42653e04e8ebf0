"""Talkdesk Explore."""

from .model import Vendor

VENDOR = Vendor("talkdesk", "/talkdesk", (), lambda url: {})
