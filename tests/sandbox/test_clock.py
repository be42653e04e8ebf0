"""One clock for everything in a sandbox that ages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import requests

from airflow_provider_contactcenter.sandbox import Clock, Sandbox

from .conftest import Talkdesk

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_a_clock_that_is_handed_in_stands_still_until_it_is_moved() -> None:
    clock = Clock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_a_clock_runs_with_real_time_and_is_moved_ahead_of_it() -> None:
    clock = Clock()
    before = datetime.now(UTC)
    clock.advance(3600)
    assert timedelta(hours=1) <= clock.now() - before < timedelta(hours=1, minutes=1)


def test_a_clock_speaks_utc_and_wants_a_zone() -> None:
    assert Clock(datetime(2026, 5, 4, 14, tzinfo=timezone(timedelta(hours=2)))).now().isoformat() == (
        "2026-05-04T12:00:00+00:00"
    )
    with pytest.raises(ValueError, match=r"^at must have a time zone, not 2026-05-04T00:00:00"):
        Clock(datetime(2026, 5, 4))
    with pytest.raises(ValueError, match="can't be moved back"):
        Clock().advance(-1)


def test_journal_jobs_tokens_links_and_windows_go_by_the_clock() -> None:
    with Sandbox(clock=Clock(NOON), options={"talkdesk": {"ladder": [["processing", 7200, 0]]}}) as sandbox:
        talkdesk = Talkdesk(sandbox)
        hour = {"from": "2026-05-04T11:00:00Z", "to": "2026-05-04T12:00:00Z"}
        late = {"from": "2026-05-04T11:00:00Z", "to": "2026-05-04T12:00:01Z"}
        assert talkdesk.create(late).status_code == 400
        job_id = talkdesk.submitted(hour)
        assert {entry["time"] for entry in sandbox.journal()} == {NOON.isoformat()}
        assert sandbox.jobs()[0]["created"] == NOON.isoformat()
        sandbox.clock.advance(7200)
        assert talkdesk.poll(job_id).status_code == 401
        talkdesk.renew()
        assert talkdesk.poll(job_id).status_code == 303
        link = talkdesk.file(job_id).headers["Location"]
        assert "X-Amz-Date=20260504T140000Z" in link
        sandbox.clock.advance(59)
        assert requests.get(link).status_code == 200
        sandbox.clock.advance(1)
        assert requests.get(link).status_code == 403
        assert talkdesk.create(late).status_code == 202


def test_another_process_moves_the_clock_over_http(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_sandbox/clock"
    before = sandbox.clock.now()
    told = requests.post(url, json={"advance": 3600}).json()
    assert timedelta(hours=1) <= datetime.fromisoformat(told["now"]) - before < timedelta(hours=1, minutes=1)
    for body in ({"advance": -1}, {"advance": True}, {"at": 1}, []):
        answer = requests.post(url, json=body)
        assert (answer.status_code, answer.json()["error"].endswith(".")) == (400, True)
