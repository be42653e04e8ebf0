"""Who and what appears in the rows: users, queues, divisions; and how a row is written."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .. import data

DAY = 86_400_000
_draw = random.Random("genesys_cloud")  # noqa: S311


def uuid(draw: random.Random) -> str:
    """An id."""
    return f"{draw.getrandbits(32):08x}-0000-4000-8000-{draw.getrandbits(48):012x}"


USERS = [uuid(_draw) for _ in range(10)]
QUEUES = [uuid(_draw) for _ in range(len(data.QUEUES))]
DIVISIONS = ["8d1f0a52-0000-4000-8000-5f4f4a1c0001", "8d1f0a52-0000-4000-8000-5f4f4a1c0002"]
WRAP_UP_CODES = [uuid(_draw) for _ in range(4)]
SKILLS = [uuid(_draw) for _ in range(4)]


def since_epoch(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Style:
    """How rows are written, as the options said when the job was submitted."""

    milliseconds: bool = True
    ongoing: str = "missing"
    novelties: bool = False
    huge: bool = False
    clipped: bool = True

    def at(self, moment: int) -> str:
        """An instant as text."""
        seconds, rest = divmod(moment, 1000)
        text = f"{_minute(seconds // 60)}:{seconds % 60:02d}"
        return f"{text}.{rest:03d}Z" if self.milliseconds else f"{text}Z"


@lru_cache(maxsize=100_000)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M")


def written(row: dict[str, Any]) -> bytes:
    """A row as JSON. One that holds half an emoji escapes what isn't ASCII."""
    try:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(row, separators=(",", ":")).encode()
