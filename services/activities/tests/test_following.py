"""Customers go, come back and stand for one another; users go. What is theirs follows, a batch at a time."""

import pytest

from activities import following
from contracts import customers as sales
from tailrace.core.ids import uuid7

from .conftest import FEEDS, MEETINGS, TASKS, Desk


async def test_a_customers_end_cancels_tasks_and_hides_meetings_until_it_is_undone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    ada = {"customer_id": str(desk.ada)}
    tasks = [await desk.task(f"T{n}", **ada) for n in range(3)]
    done, begun = await desk.task("Done", **ada), await desk.task("Begun", **ada)
    await desk.status(done, TASKS, status="done")
    await desk.status(begun, TASKS, status="in_progress")
    meetings = [await desk.meeting(f"M{n}") for n in range(3)]
    taken = await desk.meeting("Taken away")
    await desk.h.client.delete(f"{MEETINGS}/{taken['id']}")
    other = await desk.task("Other", customer_id=str(desk.group))

    await desk.delete_customer(desk.ada)
    of = {one["title"]: (await desk.read(one, TASKS))["status"] for one in (*tasks, done, begun, other)}
    assert of == {**{f"T{n}": "cancelled" for n in range(3)}, "Done": "done", "Begun": "cancelled", "Other": "open"}
    assert await desk.titles(MEETINGS) == []
    for meeting in meetings:
        await desk.read(meeting, MEETINGS, 404)
    assert len(await desk.told("task.cancelled")) == 4
    assert len(await desk.told("meeting.hidden")) == 3
    assert (await desk.task("Call back", 422, **ada))["errors"][0]["field"] == "/customer_id"

    await desk.customer(desk.ada, "C-1", "Ada Works", sales.CustomerRestored)
    await desk.fire()
    of = {one["title"]: (await desk.read(one, TASKS))["status"] for one in (*tasks, done, begun)}
    assert of == {**{f"T{n}": "open" for n in range(3)}, "Done": "done", "Begun": "in_progress"}
    assert sorted(await desk.titles(MEETINGS)) == ["M0", "M1", "M2"]
    assert await desk.titles(f"{MEETINGS}/search", q="m1") == ["M1"]
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer") == 0


async def test_what_somebody_cancelled_themselves_stays_cancelled(desk: Desk) -> None:
    task = await desk.task(customer_id=str(desk.ada))
    await desk.status(task, TASKS, status="cancelled", reason="No need")
    await desk.delete_customer(desk.ada)
    await desk.customer(desk.ada, "C-1", "Ada Works", sales.CustomerRestored)
    await desk.fire()
    assert (await desk.read(task, TASKS))["status"] == "cancelled"


async def test_a_merge_moves_and_its_end_moves_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 1)
    third = uuid7()
    await desk.customer(third, "C-3", "Third")
    hers = [await desk.task(f"Hers {n}", customer_id=str(desk.ada)) for n in range(2)]
    theirs = await desk.task("Theirs", customer_id=str(desk.group))
    meeting = await desk.meeting()

    async def now() -> list[str]:
        rows = [*[await desk.read(one, TASKS) for one in (*hers, theirs)], await desk.read(meeting, MEETINGS)]
        return [row["customer_id"] for row in rows]

    ada, group, last = str(desk.ada), str(desk.group), str(third)
    await desk.merge(desk.ada, desk.group)
    assert await now() == [group] * 4
    late = await desk.task("Late", customer_id=ada)
    assert late["customer_id"] == group, "what is given for it later is with the other at once"
    await desk.merge(desk.group, third)
    assert await now() == [last] * 4
    kept = {"title": "Hers 0", "customer_id": last}
    assert (await desk.h.client.put(f"{TASKS}/{hers[0]['id']}", json=kept)).status_code == 200
    await desk.unmerge(desk.ada, desk.group)
    assert await now() == [ada, ada, last, ada]
    assert (await desk.read(late, TASKS))["customer_id"] == ada
    await desk.unmerge(desk.group, third)
    assert await now() == [ada, ada, group, ada]


async def test_who_takes_over_has_it_all_and_the_calendars_are_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    tasks = [await desk.task(f"T{n}", user_id=str(desk.bo)) for n in range(3)]
    meetings = [await desk.meeting(f"M{n}", owner_id=str(desk.bo)) for n in range(2)]
    bo = desk.h.client_as("meetings:read tasks:read", user=desk.bo)
    feed = (await bo.post(FEEDS, json={})).json()
    path = (await bo.get(f"{FEEDS}/{feed['id']}/link")).json()["path"]
    assert (await desk.h.anonymous().get(path)).status_code == 200
    await desk.leaves(desk.bo, desk.cy)
    assert {(await desk.read(one, TASKS))["user_id"] for one in tasks} == {str(desk.cy)}
    assert {(await desk.read(one, MEETINGS))["owner_id"] for one in meetings} == {str(desk.cy)}
    assert (await desk.h.anonymous().get(path)).status_code == 404
    assert len(await desk.told("sales.calendar_feed.revoked")) == 1
    await desk.leaves(desk.cy)
    assert {(await desk.read(one, TASKS))["user_id"] for one in tasks} == {None}
    said = await desk.told("task.assigned")
    assert {(each.user_id, each.previous_user_id) for each in said} == {(desk.cy, desk.bo), (None, desk.cy)}


async def test_a_copy_that_is_behind_is_waited_for(desk: Desk) -> None:
    task = await desk.task(customer_id=str(desk.ada))
    async with desk.h.tx() as tx:
        await following.follow_customer(tx, desk.ada, following.Turn(what="deleted"))
    assert (await desk.read(task, TASKS))["status"] == "open"
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", desk.ada) == 1
