"""Calendar feeds: what a calendar program makes of them, and how a link ends."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from activities import feeds, public
from contracts.users import UserUpdated
from tailrace_testing import SetClock

from .conftest import FEEDS, TASKS, Desk

HERE = ZoneInfo("Europe/Berlin")


async def opened(desk: Desk, **body: Any) -> tuple[dict[str, Any], str]:
    feed = (await desk.h.client.post(FEEDS, json=body)).json()
    return feed, (await desk.h.client.get(f"{FEEDS}/{feed['id']}/link")).json()["path"]


async def calendar(desk: Desk, path: str) -> Any:
    answer = await desk.h.anonymous().get(path)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/calendar")
    assert answer.headers["cache-control"] == "no-store"
    return Calendar.from_ical(answer.content)


async def test_a_calendar_program_reads_meetings_and_tasks(desk: Desk, clock: SetClock) -> None:
    clock("2026-03-20T10:00:00Z")
    begin = datetime(2026, 3, 23, 9, tzinfo=HERE)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}
    await desk.meeting(
        "Weekly; with, signs\\",
        time_zone="Europe/Berlin",
        recurrence={"rule": "FREQ=WEEKLY;COUNT=4", "exceptions": ["2026-04-06"]},
        attendees=[{"user_id": str(desk.bo)}, {"name": "Hedy", "email": "h@x.example"}],
        reminder_minutes=15,
        location="会議室",
        **times,
    )
    await desk.task("Send", due_on="2026-03-24", priority="high")
    await desk.task("Sometime")
    done = await desk.task("Done", due_at="2026-03-23T12:00:00Z")
    await desk.status(done, TASKS, status="done")
    _, path = await opened(desk)
    assert path.endswith(".ics")
    read = await calendar(desk, path)
    [event] = read.walk("VEVENT")
    assert (str(event["summary"]), str(event["location"])) == ("Weekly; with, signs\\", "会議室")
    assert event.decoded("dtstart") == begin
    assert [each.params["CN"] for each in event["attendee"]] == ["Bo", "Hedy"]
    assert event.walk("VALARM")[0].decoded("trigger") == timedelta(minutes=-15)
    assert {str(each["tzid"]) for each in read.walk("VTIMEZONE")} == {"Europe/Berlin"}
    rule = event["rrule"]
    assert (rule["FREQ"], rule["UNTIL"]) == (["WEEKLY"], [datetime(2026, 4, 13, 7, tzinfo=UTC)])
    assert event["exdate"].dts[0].dt == datetime(2026, 4, 6, 9, tzinfo=HERE)
    todos = {str(each["summary"]): each for each in read.walk("VTODO")}
    assert todos.keys() == {"Send", "Sometime", "Done"}
    assert (todos["Send"].decoded("due"), int(todos["Send"]["priority"])) == (date(2026, 3, 25), 3)
    assert (str(todos["Done"]["status"]), "due" in todos["Sometime"]) == ("COMPLETED", False)
    _, only = await opened(desk, includes=["meetings"])
    assert (await calendar(desk, only)).walk("VTODO") == []


async def test_a_link_ends_when_it_is_renewed_or_taken_back(desk: Desk) -> None:
    feed, path = await opened(desk)
    await calendar(desk, path)
    assert (await desk.h.client.post(f"{FEEDS}/{feed['id']}/renew")).status_code == 200
    assert (await desk.h.anonymous().get(path)).status_code == 404
    newer = (await desk.h.client.get(f"{FEEDS}/{feed['id']}/link")).json()["path"]
    assert newer != path
    await calendar(desk, newer)
    assert (await desk.h.client.delete(f"{FEEDS}/{feed['id']}")).status_code == 204
    assert (await desk.h.anonymous().get(newer)).status_code == 404
    assert (await desk.h.client.get(f"{FEEDS}/{feed['id']}/link")).status_code == 404
    assert (await desk.h.client.post(f"{FEEDS}/{feed['id']}/renew")).status_code == 404
    types = [each.type.rpartition(".")[2] for each in await desk.h.published()]
    assert types == ["opened", "renewed", "revoked"]


async def test_the_secret_is_kept_as_a_hash_and_nothing_else_opens(desk: Desk) -> None:
    feed, path = await opened(desk)
    token = path.rpartition("/")[2].removesuffix(".ics")
    said = feeds.Token.read(token)
    row = await desk.h.admin.fetchrow("SELECT * FROM calendar_feed")
    assert row["secret_sha256"] == hashlib.sha256(said.secret).hexdigest()
    stored = await desk.h.admin.fetch(
        "SELECT t::text AS row FROM calendar_feed t UNION ALL SELECT i::text FROM idempotency i"
    )
    assert not any(token in each["row"] or said.secret.hex() in each["row"] for each in stored)
    other = feeds.Token(desk.h.other_tenant, UUID(feed["id"]), said.secret)
    wrong = feeds.Token(desk.h.tenant, UUID(feed["id"]), bytes(24))
    for guess in (str(other), str(wrong), "x", token[:-4], f"{token}AAAA", "%00", "é"):
        assert (await desk.h.anonymous().get(f"{FEEDS}/public/{guess}")).status_code in (400, 404, 422), guess


async def test_somebody_who_may_not_log_in_has_no_calendar(desk: Desk) -> None:
    _, path = await opened(desk)
    said = {"email": "al@acme.example", "name": "Al", "roles": []}
    await desk.h.deliver(UserUpdated(user_id=desk.h.user, active=False, **said), aggregate_id=desk.h.user)
    assert (await desk.h.anonymous().get(path)).status_code == 404


async def test_a_feed_is_read_so_often_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_READS", 2)
    monkeypatch.setattr(public, "_turnstile", feeds.Turnstile())
    (_, path), (_, other) = await opened(desk), await opened(desk)
    answers = [await desk.h.anonymous().get(path) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["retry-after"]) <= feeds.WINDOW
    assert (await desk.h.anonymous().get(other)).status_code == 200
