"""Tasks: how they stand, when they are late, when they are announced, and how they come again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts import customers as sales
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock, today

from .conftest import MEETINGS, TASKS, Desk, now


def at(**shift: float) -> str:
    return (datetime.now(UTC) + timedelta(**shift)).isoformat()


async def due_soon(desk: Desk) -> list[Any]:
    await desk.fire()
    return await desk.told("task.due_soon")


async def test_a_task_goes_from_one_status_to_the_next_and_no_other_way(desk: Desk) -> None:
    task = await desk.task()
    assert (task["status"], task["user_id"]) == ("open", str(desk.h.user))
    for status in ("in_progress", "open", "in_progress", "done"):
        assert (await desk.status(task, TASKS, status=status))["status"] == status
    again = await desk.status(task, TASKS, status="done")
    assert again["completed_at"] is not None
    for status in ("in_progress", "cancelled"):
        refused = await desk.status(task, TASKS, 409, status=status)
        assert refused["type"] == "urn:tailrace:problem:not-in-this-status"
    await desk.status(task, TASKS, status="open")
    cancelled = await desk.status(task, TASKS, status="cancelled", reason="Nobody needs it")
    assert (cancelled["reason"], cancelled["completed_at"]) == ("Nobody needs it", None)
    types = [each.type for each in await desk.h.published()]
    assert types == [
        "task.created",
        *("task.started", "task.reopened", "task.started", "task.completed"),
        *("task.reopened", "task.cancelled"),
    ]


async def test_nobody_means_a_day_that_is_far_off(desk: Desk) -> None:
    for body in ({"due_on": "1999-12-31"}, {"due_on": "2199-01-01"}, {"due_at": "1999-12-31T09:00:00Z"}):
        refused = await desk.task("Call back", 422, **body)
        said = (refused["type"], refused["errors"][0]["field"])
        assert said == ("urn:tailrace:problem:implausible-date", f"/{next(iter(body))}")
    meeting = {"title": "Later", "customer_id": str(desk.ada), "starts_at": "2198-01-01T09:00:00Z"}
    answer = await desk.h.client.post(MEETINGS, json={**meeting, "ends_at": "2198-01-01T10:00:00Z"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/starts_at")


async def test_a_company_says_how_far_off_meetings_and_tasks_may_be(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    old = await desk.task("Old", due_on="2026-01-02")
    bounds = [DateBounds(kind="task", days_back=1, days_ahead=2), DateBounds(kind="meeting", days_back=0, days_ahead=0)]
    policy = TenantDatePolicyChanged(tenant_id=desk.h.tenant, bounds=bounds)
    await desk.h.deliver(policy, aggregate_id=desk.h.tenant)
    for due, taken in (
        ({"due_on": "2026-11-25"}, False),
        ({"due_on": "2026-11-26"}, True),
        ({"due_on": "2026-11-29"}, True),
        ({"due_on": "2026-11-30"}, False),
        ({"due_at": "2026-11-25T23:59:59Z"}, False),
        ({"due_at": "2026-11-29T23:59:59Z"}, True),
        ({"due_at": "2026-11-30T00:00:00Z"}, False),
    ):
        answer = await desk.task("Call back", 201 if taken else 422, **due)
        assert taken or answer["errors"][0]["field"] == f"/{next(iter(due))}"
    # What stays as it was is not asked again.
    kept = await desk.h.client.put(f"{TASKS}/{old['id']}", json={"title": "Renamed", "due_on": "2026-01-02"})
    assert kept.status_code == 200, kept.text
    for begins, expected in (
        ("2026-11-26T23:59:59Z", 422),
        ("2026-11-27T23:30:00Z", 201),
        ("2026-11-28T00:00:00Z", 422),
    ):
        said = await desk.meeting("Visit", expected, starts_at=begins, ends_at="2026-11-28T01:00:00Z")
        assert expected == 201 or said["errors"][0]["field"] == "/starts_at"


async def test_what_is_late_is_listed_until_it_is_done(desk: Desk) -> None:
    late = await desk.task("Late", due_at=at(hours=-1))
    await desk.task("Of a day", due_on=(today() - timedelta(days=2)).isoformat())
    await desk.task("Today", due_on=today().isoformat())
    await desk.task("Later", due_at=at(hours=1))
    await desk.task("Whenever")
    assert await desk.titles(f"{TASKS}/overdue") == ["Of a day", "Late"]
    assert await desk.titles(TASKS, overdue="true", sort="due_by") == ["Of a day", "Late"]
    assert sorted(await desk.titles(TASKS, overdue="false")) == ["Later", "Today", "Whenever"]
    assert (await desk.read(late, TASKS))["overdue"] is True
    await desk.status(late, TASKS, status="done")
    assert await desk.titles(f"{TASKS}/overdue") == ["Of a day"]
    assert (await desk.titles(TASKS, sort="due_by"))[-1] == "Whenever"


@pytest.mark.parametrize("zone", ["Etc/UTC", "Asia/Tokyo", "America/Los_Angeles"])
async def test_a_task_of_a_day_is_listed_under_that_day(desk: Desk, zone: str) -> None:
    """And one of a moment under the company's day, whichever zone the task counts in; what is due at no time under none."""
    await desk.h.count_days_in("Asia/Tokyo")
    await desk.task("Day", due_on="2026-11-01", time_zone=zone)
    await desk.task("Moment", due_at="2026-11-01T00:30:00+09:00", time_zone=zone)
    await desk.task("Whenever")

    async def due(begin: str, end: str | None = None) -> list[str]:
        return sorted(await desk.titles(TASKS, due_by_from=begin, **({"due_by_until": end} if end else {})))

    assert await due("2026-11-01", "2026-11-02") == await due("2026-11-01") == ["Day", "Moment"]
    assert (
        await due("2026-10-31", "2026-11-01") == await due("2026-11-02", "2026-11-03") == await due("2026-11-02") == []
    )
    ends = datetime(2026, 11, 2, tzinfo=ZoneInfo(zone))
    last, end, later = [(ends + timedelta(microseconds=each)).isoformat() for each in (-1, 0, 1)]
    assert (await due(last, end), await due(end, later)) == (["Day"], [])


async def test_a_day_ends_when_it_does_in_the_tasks_zone(desk: Desk) -> None:
    day = date(2026, 3, 29)
    for zone, ends in (("Europe/Berlin", "2026-03-29T22:00:00Z"), ("Asia/Tokyo", "2026-03-29T15:00:00Z")):
        task = await desk.task(due_on=day.isoformat(), time_zone=zone)
        assert task["due_by"] == ends


async def test_a_task_is_announced_once_as_early_as_the_company_wants(desk: Desk) -> None:
    task = await desk.task("Soon", due_at=at(hours=23), customer_id=str(desk.ada))
    await desk.task("Far", due_at=at(hours=25))
    await desk.task("Own lead", due_at=at(hours=25), lead_minutes=26 * 60)
    await desk.task("Own short lead", due_at=at(hours=23), lead_minutes=60)
    await desk.task("Past", due_at=at(hours=-2))
    announced = await due_soon(desk)
    assert sorted(each.title for each in announced) == ["Own lead", "Soon"]
    [said] = [each for each in announced if each.title == "Soon"]
    assert (str(said.task_id), said.user_id, said.customer_id) == (task["id"], desk.h.user, desk.ada)
    assert said.due_date == datetime.fromisoformat(task["due_at"])
    await desk.h.make_timers_due()
    assert len(await due_soon(desk)) == 2, "those that are not due before long wait on"
    answer = await desk.h.client.put(f"{TASKS}/lead-time", json={"minutes": 26 * 60})
    assert answer.json() == {"minutes": 26 * 60}
    assert sorted(each.title for each in await due_soon(desk)) == ["Far", "Own lead", "Soon"]


async def test_another_time_is_announced_again_and_what_is_done_is_not(desk: Desk) -> None:
    task, done = await desk.task("A", due_at=at(hours=1)), await desk.task("B", due_at=at(hours=48))
    assert len(await due_soon(desk)) == 1
    body = {"title": "A", "due_at": at(hours=2)}
    assert (await desk.h.client.put(f"{TASKS}/{task['id']}", json=body)).status_code == 200
    assert [each.title for each in await due_soon(desk)] == ["A", "A"]
    await desk.status(done, TASKS, status="done")
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", done["id"]) == 0
    gone = await desk.task("C", due_at=at(hours=48))
    assert (await desk.h.client.delete(f"{TASKS}/{gone['id']}")).status_code == 204
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", gone["id"]) == 0
    assert [each.title for each in await desk.told("task.deleted")] == ["C"]


async def test_the_next_one_is_made_when_one_is_done_and_once(desk: Desk) -> None:
    first = now() + timedelta(days=2)
    task = await desk.task(
        due_at=first.isoformat(), recurrence={"rule": "freq=daily"}, checklist=[{"text": "Dial", "done": True}]
    )
    assert task["recurrence"] == {"rule": "FREQ=DAILY", "exceptions": []}
    await desk.status(task, TASKS, status="done")
    await desk.status(task, TASKS, status="open")
    await desk.status(task, TASKS, status="done")
    rows = (await desk.h.client.get(TASKS, params={"series_id": task["series_id"], "sort": "due_by"})).json()["items"]
    assert [datetime.fromisoformat(each["due_at"]) for each in rows] == [first, first + timedelta(days=1)]
    assert [each["status"] for each in rows] == ["done", "open"]
    assert rows[1]["checklist"] == [{"text": "Dial", "done": False}]


async def test_the_next_one_is_made_when_one_is_due_and_what_was_missed_is_passed_over(desk: Desk) -> None:
    begin = now() - timedelta(days=5)
    task = await desk.task(due_at=begin.isoformat(), recurrence={"rule": "FREQ=DAILY"}, time_zone="Etc/UTC")
    await desk.fire()
    await desk.h.make_timers_due()
    await desk.fire()
    rows = (await desk.h.client.get(TASKS, params={"series_id": task["series_id"], "sort": "due_by"})).json()["items"]
    assert len(rows) == 2
    upcoming = datetime.fromisoformat(rows[1]["due_at"])
    assert (upcoming.time(), upcoming > now(), upcoming <= now() + timedelta(days=1, seconds=1)) == (
        begin.time(),
        True,
        True,
    )


async def test_a_day_comes_again_as_a_day_but_on_exceptions(desk: Desk) -> None:
    days = [(today() + timedelta(days=n)).isoformat() for n in range(1, 5)]
    rule = {"rule": "FREQ=DAILY;COUNT=4", "exceptions": [days[1]]}
    task = await desk.task(due_on=days[0], time_zone="America/New_York", recurrence=rule)
    seen = [task["due_on"]]
    while task["status"] == "open":
        await desk.status(task, TASKS, status="done")
        query = {"series_id": task["series_id"], "sort": "-due_by"}
        task = (await desk.h.client.get(TASKS, params=query)).json()["items"][0]
        seen += [task["due_on"]] if task["status"] == "open" else []
    assert seen == [days[0], days[2], days[3]]


async def test_nine_o_clock_stays_nine_o_clock_where_clocks_are_moved(desk: Desk, clock: SetClock) -> None:
    clock("2026-03-27T10:00:00Z")
    begin = datetime(2026, 3, 28, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    task = await desk.task(due_at=begin.isoformat(), time_zone="Europe/Berlin", recurrence={"rule": "FREQ=DAILY"})
    await desk.status(task, TASKS, status="done")
    rows = (await desk.h.client.get(TASKS, params={"sort": "due_by"})).json()["items"]
    assert [each["due_at"] for each in rows] == ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"]


async def test_a_series_ends_with_its_rule_and_with_its_newest(desk: Desk) -> None:
    for end in ("rule", "deleted"):
        task = await desk.task(due_at=at(days=1), recurrence={"rule": "FREQ=DAILY"})
        if end == "rule":
            body = {"title": "Call back", "due_at": task["due_at"]}
            changed = (await desk.h.client.put(f"{TASKS}/{task['id']}", json=body)).json()
            assert (changed["recurrence"], changed["series_id"]) == (None, None)
            await desk.status(task, TASKS, status="done")
        else:
            await desk.h.client.delete(f"{TASKS}/{task['id']}")
    await desk.h.make_timers_due()
    await desk.fire()
    assert len(await desk.told("task.created")) == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"due_at": at(days=1), "due_on": "2026-03-02"}, "/due_at"),
        ({"recurrence": {"rule": "FREQ=DAILY"}}, "/recurrence"),
        ({"due_at": at(days=1), "recurrence": {"rule": "FREQ=MINUTELY"}}, "/recurrence/rule"),
        ({"due_on": "2026-03-02", "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=TU"}}, "/recurrence/rule"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"lead_minutes": -1}, "/lead_minutes"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"checklist": [{"text": "x"}] * 101}, "/checklist"),
    ],
)
async def test_bad_input_is_refused_with_its_field(desk: Desk, given: dict[str, Any], field: str) -> None:
    refused = await desk.task("Call back", 422, **given)
    assert refused["errors"][0]["field"].startswith(field)
    assert await desk.h.published() == []


async def test_whom_and_whom_for_must_be_known_and_in_use(desk: Desk) -> None:
    for name in ("user_id", "customer_id"):
        assert (await desk.task("Call back", 409, **{name: str(uuid7())}))["errors"][0]["field"] == f"/{name}"
        old = "01900000-0000-7000-8000-000000000000"
        assert (await desk.task("Call back", 422, **{name: old}))["errors"][0]["field"] == f"/{name}"
    await desk.leaves(desk.bo)
    assert (await desk.task("Call back", 422, user_id=str(desk.bo)))["errors"][0]["field"] == "/user_id"
    given = await desk.task(user_id=str(desk.cy))
    assert given["user_id"] == str(desk.cy)
    kept = await desk.h.client.put(f"{TASKS}/{given['id']}", json={"title": "Other"})
    assert kept.json()["user_id"] == str(desk.cy), "left out, it stays whose it is"


async def test_tasks_are_found_by_parts_of_words_and_come_from_files(desk: Desk) -> None:
    job = await desk.h.import_rows(
        f"{TASKS}/import", f"件名,優先度,期限日\n見積を送る,high,{today()}\nCall Grace,normal,\nWrong,never,\n"
    )
    assert job["counts"] == {"created": 2, "refused": 1}
    assert await desk.titles(f"{TASKS}/search", q="見積") == ["見積を送る"]
    assert await desk.titles(f"{TASKS}/search", q="rac", priority="normal") == ["Call Grace"]
    exported = await desk.h.client.get(TASKS, headers={"Accept": "text/csv"})
    assert exported.text.count("Grace") == 1
    again = await desk.h.import_rows(f"{TASKS}/import", f"件名,優先度,期限日\n見積を送る,high,{today()}\n")
    assert again["counts"] == {"unchanged": 1}


async def test_a_deleted_task_comes_back_as_it_was_and_its_series_goes_on(desk: Desk) -> None:
    task = await desk.task(due_at=at(hours=1), recurrence={"rule": "FREQ=DAILY"}, user_id=str(desk.bo))
    refused = await desk.restore(task, TASKS, 409)
    assert refused["type"] == "urn:tailrace:problem:not-deleted"
    await desk.h.client.delete(f"{TASKS}/{task['id']}")
    assert await desk.titles(TASKS, deleted="true") == ["Call back"] and await desk.titles(TASKS) == []
    # Who was to do it leaves meanwhile, and somebody takes over.
    await desk.leaves(desk.bo, desk.cy)
    back = await desk.restore(task, TASKS)
    same = ("title", "status", "due_at", "series_id", "recurrence")
    assert ({name: back[name] for name in same}, back["user_id"]) == ({name: task[name] for name in same}, str(desk.cy))
    assert (await desk.titles(f"{TASKS}/search", q="call"), await desk.titles(TASKS, deleted="true")) == (
        ["Call back"],
        [],
    )
    (told,) = await desk.told("task.restored")
    assert (told.title, told.user_id) == ("Call back", desk.cy)
    assert len(await due_soon(desk)) == 1
    await desk.status(task, TASKS, status="done")
    assert len(await desk.titles(TASKS)) == 2
    stranger = desk.h.client_as(tenant=desk.h.other_tenant)
    assert (await stranger.post(f"{TASKS}/{task['id']}/restore")).status_code == 404


async def test_an_open_task_does_not_come_back_to_a_customer_who_is_gone(desk: Desk) -> None:
    waits, done = [await desk.task(title, customer_id=str(desk.ada)) for title in ("Waits", "Done")]
    await desk.status(done, TASKS, status="done")
    for task in (waits, done):
        await desk.h.client.delete(f"{TASKS}/{task['id']}")
    await desk.delete_customer(desk.ada)
    refused = await desk.restore(waits, TASKS, 409)
    assert (refused["type"], refused["errors"][0]["field"]) == (
        "urn:tailrace:problem:refers-to-deleted",
        "/customer_id",
    )
    assert (await desk.restore(done, TASKS))["status"] == "done"
    await desk.customer(desk.ada, "C-1", "Ada Works", sales.CustomerRestored)
    await desk.fire()
    assert (await desk.restore(waits, TASKS))["status"] == "open"
