"""The words that a transfer's parameters take."""

from __future__ import annotations

from typing import Literal

OnEmpty = Literal["publish", "skip", "fail"]
OnExists = Literal["fail", "skip"]
