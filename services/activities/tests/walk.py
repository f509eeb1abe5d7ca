"""Every operation of activities once, for the conformance suite, which tries each step in all the ways that must be refused first."""

from datetime import UTC, datetime, timedelta

from invariants.walk import Walker

from contracts.customers import CustomerCreated, Person
from contracts.users import UserCreated, UserDeleted
from tailrace.core.ids import uuid7

TASKS, MEETINGS, FEEDS = "/v1/tasks", "/v1/meetings", "/v1/calendar-feeds"


async def walk(w: Walker) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    bo, ada, grace = uuid7(), uuid7(), uuid7()
    for id, name in ((w.h.user, "Alma"), (bo, "Bodo")):
        user = UserCreated(user_id=id, email=f"{name}@acme.example".lower(), name=name, roles=["sales"])
        await w.tell(user, aggregate_id=id)
    customer = CustomerCreated(
        customer_id=ada,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=30,
        people=[Person(person_id=grace, name="Grace")],
    )
    await w.tell(customer, aggregate_id=ada)

    meeting = {
        "title": "Framework talks",
        "customer_id": str(ada),
        "starts_at": begin.isoformat(),
        "ends_at": (begin + timedelta(hours=1)).isoformat(),
        "time_zone": "Europe/Berlin",
        "attendees": [
            {"user_id": str(bo)},
            {"person_id": str(grace)},
            {"name": "Hedy Interpreter", "email": "hedy@tongues.example"},
        ],
        "next_step": "Send the framework contract",
        "reminder_minutes": 30,
    }
    made = await w.post(MEETINGS, meeting)
    await w.post(MEETINGS, {**meeting, "recurrence": {"rule": "FREQ=DAILY;COUNT=3"}})
    spare = await w.post(MEETINGS, {**meeting, "title": "Spare"})
    await w.get(MEETINGS)
    await w.get(f"{MEETINGS}/search", query={"q": "talks"})
    await w.get(f"{MEETINGS}/customer/{{customer_id}}", customer_id=ada)
    at_meeting = f"{MEETINGS}/{{meeting_id}}"
    await w.get(at_meeting, meeting_id=made["id"])
    await w.put(at_meeting, {**meeting, "agenda": "Prices\nTerms"}, meeting_id=made["id"])
    await w.patch(f"{at_meeting}/status", {"status": "held", "outcome": "They agree."}, meeting_id=made["id"])
    await w.post(f"{at_meeting}/tasks", {"due_on": f"{begin:%Y-%m-%d}", "user_id": str(bo)}, meeting_id=made["id"])
    await w.delete(at_meeting, meeting_id=spare["id"])
    await w.post(f"{at_meeting}/restore", meeting_id=spare["id"])

    task = {
        "title": "Call Grace back",
        "customer_id": str(ada),
        "due_at": begin.isoformat(),
        "checklist": [{"text": "Look up the order"}],
    }
    call = await w.post(TASKS, task)
    await w.post(TASKS, {**task, "recurrence": {"rule": "FREQ=DAILY"}, "time_zone": "Asia/Tokyo"})
    for title in ("Late", "Later"):
        await w.post(TASKS, {**task, "title": title, "due_at": (begin - timedelta(days=9)).isoformat()})
    dropped = await w.post(TASKS, {"title": "Dropped"})
    await w.get(TASKS)
    await w.get(f"{TASKS}/overdue")
    await w.get(f"{TASKS}/search", query={"q": "grace"})
    await w.get(f"{TASKS}/lead-time")
    await w.put(f"{TASKS}/lead-time", {"minutes": 90})
    at_task = f"{TASKS}/{{task_id}}"
    await w.get(at_task, task_id=call["id"])
    await w.put(at_task, {**task, "priority": "high", "user_id": str(bo)}, task_id=call["id"])
    await w.patch(f"{at_task}/status", {"status": "done"}, task_id=call["id"])
    await w.delete(at_task, task_id=dropped["id"])
    await w.post(f"{at_task}/restore", task_id=dropped["id"])

    feed = await w.post(FEEDS, {"name": "Phone"})
    await w.post(FEEDS, {"includes": ["meetings"]})
    at_feed = f"{FEEDS}/{{feed_id}}"
    await w.get(FEEDS)
    await w.get(at_feed, feed_id=feed["id"])
    await w.post(f"{at_feed}/renew", feed_id=feed["id"])
    link = await w.get(f"{at_feed}/link", feed_id=feed["id"])
    await w.get(f"{FEEDS}/public/{{token}}", token=link["path"].rpartition("/")[2])
    await w.delete(at_feed, feed_id=feed["id"])

    await w.tell(UserDeleted(user_id=bo), aggregate_id=bo)
    await w.imports(
        f"{TASKS}/import",
        f"{TASKS}/jobs",
        "title,priority\nRing twice,high\nNobody,never\n",
        "title,priority\nRing later,low\n",
    )
