"""Fixtures of the triggers' tests."""

from wire import fresh_process

__all__ = ["fresh_process"]
