"""Fast text of instants, for 8x8's pages of thousands of rows with many times in each."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

#: so many are kept in mind
MOST_MINUTES = 100_000


class Stamp:
    """Epoch milliseconds as ISO 8601 in one zone: ``2022-02-03T09:27:27.499-0500``.

    :param colon: write the offset as ``-05:00``
    """

    def __init__(self, timezone: str, colon: bool) -> None:
        self._zone = ZoneInfo(timezone)
        self._colon = colon
        self._minutes: dict[int, tuple[bytes, bytes]] = {}

    def __call__(self, milliseconds: int) -> bytes:
        """The instant as text."""
        minute, rest = divmod(milliseconds, 60_000)
        known = self._minutes.get(minute)
        if known is None:
            if len(self._minutes) >= MOST_MINUTES:
                self._minutes.clear()
            known = self._minutes[minute] = self._minute(minute)
        return b"%b:%02d.%03d%b" % (known[0], rest // 1000, rest % 1000, known[1])

    def _minute(self, minute: int) -> tuple[bytes, bytes]:
        local = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._zone)
        offset = f"{local:%z}"
        if self._colon:
            offset = f"{offset[:3]}:{offset[3:]}"
        return f"{local:%Y-%m-%dT%H:%M}".encode(), offset.encode()


def milliseconds(moment: datetime) -> int:
    """Epoch milliseconds."""
    seconds = int(moment.replace(microsecond=0).timestamp())
    return seconds * 1000 + moment.microsecond // 1000
