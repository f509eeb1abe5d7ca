"""Meetings: with whom, how they went, what they lead to, and how they come again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import customers as sales
from tailrace.core.ids import uuid7

from .conftest import MEETINGS, TASKS, Desk, now


async def test_a_meeting_is_held_and_its_next_step_becomes_a_task_once(desk: Desk) -> None:
    opportunity = str(uuid7())
    meeting = await desk.meeting(opportunity_id=opportunity, owner_id=str(desk.bo))
    refused = await desk.h.client.post(f"{MEETINGS}/{meeting['id']}/tasks", json={})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:no-next-step")
    held = await desk.status(meeting, MEETINGS, status="held", outcome="They want it.", next_step="Send a quote")
    assert (held["status"], held["outcome"]) == ("held", "They want it.")
    answer = await desk.h.client.post(f"{MEETINGS}/{meeting['id']}/tasks", json={"due_on": "2027-01-15"})
    task = answer.json()
    assert (answer.status_code, task["title"], task["user_id"]) == (201, "Send a quote", str(desk.bo))
    links = ("meeting_id", "customer_id", "opportunity_id")
    assert [task[name] for name in links] == [meeting["id"], str(desk.ada), opportunity]
    again = await desk.h.client.post(f"{MEETINGS}/{meeting['id']}/tasks", json={})
    assert again.json()["type"] == "urn:tailrace:problem:next-step-taken"
    assert (await desk.read(meeting, MEETINGS))["next_task_id"] == task["id"]
    assert (await desk.status(meeting, MEETINGS, 409, status="cancelled"))["type"].endswith("not-in-this-status")
    types = [each.type for each in await desk.h.published()]
    assert types == ["meeting.created", "meeting.held", "meeting.updated", "task.created"]


async def test_a_long_next_step_is_a_title_of_whole_characters_and_the_description(desk: Desk) -> None:
    woman, joiner = "\U0001f469", "\u200d"
    for step, title in (
        ("x" * 198 + f"{woman}{joiner}\U0001f680 flies", "x" * 198 + woman),
        ("x" * 199 + " y", "x" * 199),
        ("x" * 200, "x" * 200),
    ):
        meeting = await desk.meeting()
        await desk.status(meeting, MEETINGS, status="held", next_step=step)
        answer = await desk.h.client.post(f"{MEETINGS}/{meeting['id']}/tasks", json={})
        assert answer.status_code == 201, answer.text
        assert (answer.json()["title"], answer.json()["description"]) == (title, None if step == title else step)


async def test_who_is_there_must_be_known(desk: Desk) -> None:
    there = [{"user_id": str(desk.bo)}, {"person_id": str(desk.grace)}, {"name": "Hedy", "email": "h@x.example"}]
    meeting = await desk.meeting(attendees=there)
    assert [{k: v for k, v in each.items() if v} for each in meeting["attendees"]] == there
    wrong: list[tuple[Any, int, str]] = [
        ({"user_id": str(uuid7())}, 409, "/attendees/0/user_id"),
        ({"person_id": str(uuid7())}, 422, "/attendees/0/person_id"),
        ({"name": "Hedy", "user_id": str(desk.bo)}, 422, "/attendees/0/user_id"),
        ({"email": "h@x.example"}, 422, "/attendees/0/user_id"),
    ]
    for attendee, status, field in wrong:
        assert (await desk.meeting("Visit", status, attendees=[attendee]))["errors"][0]["field"] == field
    await desk.leaves(desk.bo)
    begin = {"starts_at": meeting["starts_at"], "ends_at": meeting["ends_at"], "customer_id": str(desk.ada)}
    body = {"title": "Visit", "attendees": there, **begin}
    kept = await desk.h.client.put(f"{MEETINGS}/{meeting['id']}", json=body)
    assert kept.status_code == 200, "who is gone by now was there all the same"


@pytest.mark.parametrize(("days", "hours"), [(0, 0), (0, -1), (15, 0)])
async def test_a_meeting_ends_after_it_begins_and_within_a_fortnight(desk: Desk, days: int, hours: int) -> None:
    end = now() + timedelta(days=2 + days, hours=hours)
    await desk.meeting("Visit", 422, ends_at=end.isoformat())


async def test_lists_are_narrowed_and_the_customers_own_shows_the_newest_first(desk: Desk) -> None:
    first = now()
    for number, customer in enumerate((desk.ada, desk.group, desk.ada)):
        begin = first + timedelta(days=number)
        times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}
        await desk.meeting(f"M{number}", customer_id=str(customer), agenda=f"Prices {number}", **times)
    assert await desk.titles(f"{MEETINGS}/customer/{desk.ada}") == ["M2", "M0"]
    assert await desk.titles(MEETINGS, sort="-starts_at", customer_id=str(desk.group)) == ["M1"]
    assert await desk.titles(f"{MEETINGS}/search", q="prices 2") == ["M2"]
    after = (first + timedelta(days=1)).isoformat()
    assert await desk.titles(MEETINGS, starts_from=after, sort="starts_at") == ["M1", "M2"]
    assert (await desk.h.client.get(f"{MEETINGS}/customer/{uuid7()}")).status_code == 404


async def test_one_is_reminded_once_and_the_next_of_a_series_is_made_when_one_begins(desk: Desk) -> None:
    # Not as of when the tests were collected, which may be an hour ago.
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}
    meeting = await desk.meeting(reminder_minutes=30, recurrence={"rule": "FREQ=WEEKLY"}, **times)
    await desk.meeting("Far", reminder_minutes=10, **times)
    await desk.fire()
    await desk.h.make_timers_due()
    await desk.fire()
    assert [each.title for each in await desk.told("meeting.reminder_reached")] == ["Visit"]
    assert len(await desk.titles(MEETINGS)) == 2, "the first of the series has not begun"
    await desk.status(meeting, MEETINGS, status="held")
    query = {"series_id": meeting["series_id"], "sort": "starts_at"}
    rows = (await desk.h.client.get(MEETINGS, params=query)).json()["items"]
    moments = [(datetime.fromisoformat(each["starts_at"]), datetime.fromisoformat(each["ends_at"])) for each in rows]
    assert moments[1] == (begin + timedelta(days=7), begin + timedelta(days=7, hours=1))
    assert [each["status"] for each in rows] == ["held", "planned"]


async def test_a_meeting_that_is_taken_away_is_gone(desk: Desk) -> None:
    meeting = await desk.meeting(reminder_minutes=5)
    assert (await desk.h.client.delete(f"{MEETINGS}/{meeting['id']}")).status_code == 204
    await desk.read(meeting, MEETINGS, 404)
    assert await desk.titles(f"{MEETINGS}/search", q="visit") == await desk.titles(MEETINGS) == []
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer") == 0
    assert await desk.titles(TASKS) == []


async def test_a_deleted_meeting_comes_back_and_a_hidden_one_with_its_customer(desk: Desk) -> None:
    gone, hidden = await desk.meeting("Gone", reminder_minutes=5), await desk.meeting("Hidden")
    await desk.restore(hidden, MEETINGS, 409)
    await desk.h.client.delete(f"{MEETINGS}/{gone['id']}")
    await desk.delete_customer(desk.ada)
    assert await desk.titles(MEETINGS, deleted="true") == ["Gone"]
    for meeting in (gone, hidden):
        refused = await desk.restore(meeting, MEETINGS, 409)
        assert (refused["type"], refused["errors"][0]["field"]) == (
            "urn:tailrace:problem:refers-to-deleted",
            "/customer_id",
        )
    await desk.customer(desk.ada, "C-1", "Ada Works", sales.CustomerRestored)
    await desk.fire()
    assert await desk.titles(MEETINGS) == ["Hidden"]
    back = await desk.restore(gone, MEETINGS)
    assert (back["status"], back["starts_at"]) == ("planned", gone["starts_at"])
    assert sorted(await desk.titles(MEETINGS)) == ["Gone", "Hidden"]
    assert await desk.titles(f"{MEETINGS}/search", q="gone") == ["Gone"]
    assert [each.title for each in await desk.told("meeting.restored")] == ["Hidden", "Gone"]
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", gone["id"]) == 1
