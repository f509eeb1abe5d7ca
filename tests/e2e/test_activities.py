"""A seller's day through the gateway: every path of the design, what time says by itself, a calendar by its link, and the customer's timeline."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from company import Company, dead_letters
from quiescence import quiescent
from way import admin_of

from activities.service import service as activities
from tailrace.core.ids import uuid7
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually


async def done(member: Member, method: str, path: str, status: int = 200, **options: Any) -> Any:
    """Asked again, as the same request, when no answer came in time."""
    key = str(uuid7())
    answer = await eventually(
        lambda: member.send(method, path, key=key, **options),
        lambda answer: answer.status_code not in {502, 503, 504},
        what=f"an answer to {method} {path}",
    )
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def titles(member: Member, path: str, **query: Any) -> list[str]:
    return [each["title"] for each in (await member.get(path, **query))["items"]]


async def types(member: Member, customer: dict[str, Any], **query: Any) -> list[str]:
    return [each["type"] for each in await member.every(f"/v1/customers/{customer['id']}/timeline", **query)]


async def test_a_sellers_day(fleet: Stack, gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    role = {"name": "field", "scopes": ["customers:read", "meetings:read:own", "tasks:read:own", "tasks:write:own"]}
    await admin.post("/v1/auth/roles", role)
    body = {"email": f"bo@{admin.slug}.example", "name": "Bo", "password": PASSWORD, "roles": ["field"]}
    bo_id = (await admin.post("/v1/auth/users", body))["id"]
    bo = await gateway.log_in(admin.slug, f"bo@{admin.slug}.example")
    ada = await admin.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    other = await admin.post("/v1/customers", {"name": "Ada Group", "currency": "EUR"})
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}

    # Meetings, by every path of the design.
    visit = await admin.post("/v1/meetings", {"title": "Visit", "customer_id": ada["id"], "owner_id": bo_id, **times})
    at_visit = f"/v1/meetings/{visit['id']}"
    assert await titles(admin, "/v1/meetings") == await titles(admin, f"/v1/meetings/customer/{ada['id']}") == ["Visit"]
    again = {"title": "Second visit", "customer_id": ada["id"], **times}
    assert (await done(admin, "PUT", at_visit, json=again))["title"] == "Second visit"
    said = {"status": "held", "outcome": "They want it.", "next_step": "Send a quote"}
    await done(admin, "PATCH", f"{at_visit}/status", json=said)
    step = await admin.post(f"{at_visit}/tasks", {"due_on": f"{begin:%Y-%m-%d}"})
    assert (step["title"], step["user_id"], step["meeting_id"]) == ("Send a quote", bo_id, visit["id"])
    assert (await admin.get(at_visit))["next_task_id"] == step["id"]
    spare = await admin.post("/v1/meetings", {**again, "title": "Spare"})
    await done(admin, "DELETE", f"/v1/meetings/{spare['id']}", 204)
    await done(admin, "GET", f"/v1/meetings/{spare['id']}", 404)

    # Tasks, too.
    call = await admin.post("/v1/tasks", {"title": "Call", "customer_id": ada["id"], "due_at": begin.isoformat()})
    late = await bo.post("/v1/tasks", {"title": "Late", "due_at": (begin - timedelta(days=1)).isoformat()})
    assert late["user_id"] == bo_id
    changed = {"title": "Call twice", "customer_id": ada["id"], "due_at": begin.isoformat(), "priority": "high"}
    assert (await done(admin, "PUT", f"/v1/tasks/{call['id']}", json=changed))["priority"] == "high"
    assert (await admin.get(f"/v1/tasks/{call['id']}"))["title"] == "Call twice"
    assert await titles(admin, "/v1/tasks/overdue") == ["Late"]
    assert sorted(await titles(bo, "/v1/tasks")) == ["Late", "Send a quote"], "Bo sees Bo's own"
    await done(bo, "GET", f"/v1/tasks/{call['id']}", 404)
    await done(bo, "PATCH", f"/v1/tasks/{late['id']}/status", json={"status": "done"})
    assert await titles(admin, "/v1/tasks/overdue") == []
    await done(admin, "DELETE", f"/v1/tasks/{late['id']}", 204)

    # The calendar, by its link and without a log-in.
    feed = await bo.post("/v1/calendar-feeds", {})
    path = (await bo.get(f"/v1/calendar-feeds/{feed['id']}/link"))["path"]
    read = await bo.client.get(path)
    assert (read.status_code, read.headers["content-type"].partition(";")[0]) == (200, "text/calendar")
    assert ("Send a quote" in read.text, "Call twice" in read.text) == (True, False)
    await done(bo, "DELETE", f"/v1/calendar-feeds/{feed['id']}", 204)
    assert (await bo.client.get(path)).status_code == 404

    # The timeline: each sees of it what they may see elsewhere.
    wanted = {"customer.created", "meeting.created", "meeting.held", "meeting.deleted", "task.created"}
    seen = await eventually(partial(types, admin, ada), lambda found: wanted <= set(found), what="the timeline")
    assert seen.count("task.created") == 2
    assert await types(bo, ada, kind="task") == ["task.created"]
    assert "order.created" not in await types(bo, ada)
    await admin.post(f"/v1/customers/{ada['id']}/merge", {"into_customer_id": other["id"], "reason": "one"})
    both = await eventually(
        partial(types, admin, other), lambda found: found.count("task.created") == 2, what="both histories"
    )
    assert both.count("customer.created") == 2
    moved = partial(admin.get, f"/v1/tasks/{call['id']}")
    await eventually(moved, lambda task: task["customer_id"] == other["id"], what="the task with the other")
    await admin.post(f"/v1/customers/{ada['id']}/unmerge", {"reason": "two"})
    await eventually(moved, lambda task: task["customer_id"] == ada["id"], what="the task back")
    await eventually(
        partial(types, admin, other), lambda found: "task.created" not in found, what="a history of its own"
    )

    # Its end takes the tasks along, and brings them back.
    await done(admin, "DELETE", f"/v1/customers/{ada['id']}", 204)
    await eventually(moved, lambda task: task["status"] == "cancelled", what="the end of the task")
    await eventually(partial(titles, admin, "/v1/meetings"), lambda found: found == [], what="the meeting hidden")
    await admin.post(f"/v1/customers/{ada['id']}/restore")
    await eventually(moved, lambda task: task["status"] == "open", what="the task again")
    shown = partial(titles, admin, "/v1/meetings")
    await eventually(shown, lambda found: found == ["Second visit"], what="the meeting again")
    await quiescent(fleet, admin.tenant_id)
    assert await dead_letters(fleet, Company(admin, "", "")) == []


async def test_what_is_due_before_long_is_told_once(fleet: Stack, gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    due = datetime.now(UTC) + timedelta(hours=5)
    body = {"title": "Call", "due_at": due.isoformat(), "lead_minutes": 600}
    task = await admin.post("/v1/tasks", body)
    async with admin_of(fleet, activities) as connection:
        query = "SELECT payload::json ->> 'due_date' AS due FROM outbox WHERE type = 'task.due_soon' AND aggregate_id = $1::uuid"
        read = partial(connection.fetch, query, task["id"])
        [said] = await eventually(read, lambda rows: len(rows) > 0, what="the announcement")
    assert datetime.fromisoformat(said["due"]) == due
