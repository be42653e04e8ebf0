"""Fixtures of the hooks' tests."""

from wire import fresh_process, pauses

__all__ = ["fresh_process", "pauses"]
