"""A customer's timeline: of every context, in any order of events, for those who may see that context's rows, and merged with its customer."""

import asyncio
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import make_url, text

from contracts import activities, leads, orders, quotes, shipments
from contracts.performances import ServicesPerformed
from contracts.quote_mails import QuoteMailFailed, QuoteMailSent
from contracts.users import TeamCreated
from customers.projections import teams, timeline
from customers.timeline import Source, Told
from customers.timeline_rows import TimelineEntry
from tailrace.core.context import Principal
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.http.lists.pagination import PageRequest, rows_of
from tailrace.messaging.dispatcher import Dispatcher
from tailrace_testing import Harness

from .conftest import AT, Sales

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def task(customer: UUID | None, user: UUID | None = None, id: UUID | None = None, kind: Any = None) -> Any:
    return (kind or activities.TaskCreated)(
        task_id=id or uuid7(),
        title="Call",
        customer_id=customer,
        user_id=user,
        status="open",
        priority="normal",
        time_zone="Etc/UTC",
    )


def meeting(customer: UUID, owner: UUID | None = None, id: UUID | None = None, kind: Any = None) -> Any:
    return (kind or activities.MeetingCreated)(
        meeting_id=id or uuid7(),
        title="Visit",
        customer_id=customer,
        owner_id=owner,
        status="planned",
        starts_at=BEGIN,
        ends_at=BEGIN + timedelta(hours=1),
        time_zone="Etc/UTC",
    )


def order(customer: UUID | None, id: UUID, kind: Any = orders.OrderCreated) -> Any:
    said: dict[str, Any] = {"net": 100, "tax": 10, "lines": [], "ordered_at": BEGIN, "customer_id": customer}
    return kind(order_id=id, number="SO-1", customer_reference="r", customer_name="Ada", currency="EUR", **said)


def shipment(order_id: UUID, id: UUID) -> shipments.ShipmentCreated:
    said: dict[str, Any] = {"reservation_id": uuid7(), "currency": "EUR", "customer_name": "Ada", "lines": []}
    return shipments.ShipmentCreated(shipment_id=id, order_id=order_id, number="SO-1-1", **said)


def quote(customer: UUID, id: UUID, kind: Any = quotes.QuoteCreated) -> Any:
    said: dict[str, Any] = {"dated": BEGIN.date(), "valid_until": BEGIN.date(), "discount": 0, "net": 5, "tax": 1}
    return kind(
        quote_id=id,
        number="Q-1",
        revision=1,
        customer_id=customer,
        customer_name="Ada",
        currency="EUR",
        lines=[],
        **said,
    )


async def shown(
    h: Harness, customer: Any, scopes: str = "*", user: UUID | None = None, **query: Any
) -> list[dict[str, Any]]:
    answer = await h.client_as(scopes, user=user).get(f"{AT}/{customer}/timeline", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def types(h: Harness, customer: Any, scopes: str = "*", user: UUID | None = None, **query: Any) -> list[str]:
    return [each["type"] for each in await shown(h, customer, scopes, user, **query)]


async def rows(h: Harness) -> list[tuple[Any, ...]]:
    entries = await h.admin.fetch("SELECT * FROM timeline_entry ORDER BY id")
    subjects = await h.admin.fetch("SELECT * FROM timeline_subject ORDER BY id")
    return [tuple(row) for row in (*entries, *subjects)]


async def history(sales: Sales, customer: UUID) -> None:
    """A quote, an order, its shipment, a meeting and a task, the shipment before its order."""
    h, ids = sales.h, [uuid7() for _ in range(3)]
    await h.deliver(quote(customer, ids[0]), aggregate_id=ids[0])
    await h.deliver(shipment(ids[1], ids[2]), aggregate_id=ids[2])
    await h.deliver(order(customer, ids[1]), aggregate_id=ids[1])
    for event in (meeting(customer, sales.bo), task(customer, sales.cy)):
        await h.deliver(event, aggregate_id=uuid7())


async def test_it_shows_every_context_newest_first_and_narrowed(sales: Sales) -> None:
    customer = await sales.create()
    id = UUID(customer["id"])
    await history(sales, id)
    await sales.h.pump()
    entries = await shown(sales.h, id)
    assert sorted(each["kind"] for each in entries) == ["customer", "meeting", "order", "quote", "shipment", "task"]
    moments = [each["occurred_at"] for each in entries]
    assert moments == sorted(moments, reverse=True)
    assert {each["kind"]: each["title"] for each in entries} == {
        "customer": customer["number"],
        "meeting": "Visit",
        "order": "SO-1",
        "quote": "Q-1/1",
        "shipment": "SO-1-1",
        "task": "Call",
    }
    assert await types(sales.h, id, kind=["order", "shipment"]) == ["shipment.created", "order.created"]
    assert await types(sales.h, id, occurred_until="2026-03-03") == ["order.created"]
    first = await sales.h.client.get(f"{AT}/{id}/timeline", params={"limit": 4})
    rest = await sales.h.client.get(f"{AT}/{id}/timeline", params={"cursor": first.json()["next_cursor"]})
    assert [*first.json()["items"], *rest.json()["items"]] == entries
    file = await sales.h.client.get(f"{AT}/{id}/timeline", headers={"Accept": "text/csv"})
    assert len(file.text.strip().splitlines()) == len(entries) + 1


async def test_services_and_mail_of_quotes_are_told_and_the_order_keeps_its_name(sales: Sales) -> None:
    h, id = sales.h, UUID((await sales.create())["id"])
    order_id, quote_id = uuid7(), uuid7()
    await h.deliver(order(id, order_id), aggregate_id=order_id)
    part = ServicesPerformed(
        order_id=order_id,
        performance_id=uuid7(),
        number="SO-1/1",
        currency="EUR",
        customer_id=id,
        lines=[],
        performed_at=BEGIN + timedelta(days=1),
    )
    await h.deliver(part, aggregate_id=order_id)
    rest = orders.OrderRestCancelled(order_id=order_id, reason="enough", lines=[])
    await h.deliver(rest, aggregate_id=order_id)
    await h.deliver(quote(id, quote_id), aggregate_id=quote_id)
    mail = {"quote_id": quote_id, "number": "Q-1", "revision": 1, "customer_id": id}
    await h.deliver(QuoteMailFailed(**mail, failure="status-550"), aggregate_id=quote_id)
    await h.deliver(QuoteMailSent(**mail), aggregate_id=quote_id)
    told = {each["type"]: (each["title"], each["details"]) for each in await shown(h, id, kind=["order", "quote"])}
    assert told.pop("order.created")[0] == "SO-1"
    assert told.pop("quote.created")[0] == "Q-1/1"
    assert told == {
        "order.services_performed": ("SO-1", {"number": "SO-1/1"}),
        "order.rest_cancelled": ("SO-1", {"reason": "enough"}),
        "quote.mail_failed": ("Q-1/1", {"failure": "status-550"}),
        "quote.mail_sent": ("Q-1/1", {}),
    }
    performed = (await shown(h, id, kind="order", occurred_from="2026-03-03", occurred_until="2026-03-04"))[0]
    assert datetime.fromisoformat(performed["occurred_at"]) == BEGIN + timedelta(days=1)


async def test_each_entry_takes_the_scope_and_the_reach_of_its_own_context(sales: Sales) -> None:
    id = UUID((await sales.create())["id"])
    await history(sales, id)
    await sales.h.pump()
    own = ["customer.created"]
    assert await types(sales.h, id, "customers:read") == own
    for scope, type in (
        ("quotes:read", "quote.created"),
        ("orders:read", "order.created"),
        ("shipping:read", "shipment.created"),
        ("meetings:read", "meeting.created"),
        ("tasks:read", "task.created"),
    ):
        assert sorted(await types(sales.h, id, f"customers:read {scope}")) == sorted([*own, type])
    for user, seen in ((sales.bo, ["meeting.created"]), (sales.cy, ["task.created"]), (uuid7(), [])):
        scopes = "customers:read meetings:read:own tasks:read:own"
        assert await types(sales.h, id, scopes, user, kind=["meeting", "task"]) == seen
        file = await sales.h.client_as(scopes, user=user).get(f"{AT}/{id}/timeline", headers={"Accept": "text/csv"})
        assert [each for each in ("meeting.created", "task.created") if each in file.text] == seen
    lead, team = uuid7(), uuid7()
    below = TeamCreated(team_id=team, name="T", lead_id=lead, member_ids=[sales.cy])
    await sales.h.deliver(below, aggregate_id=team)
    assert await types(
        sales.h, id, "customers:read meetings:read:team tasks:read:team", lead, kind=["meeting", "task"]
    ) == ["task.created"]
    assert (await sales.h.client_as("customers:read:own", user=sales.bo).get(f"{AT}/{id}/timeline")).status_code == 404
    assert (await sales.h.client_as("tasks:read").get(f"{AT}/{id}/timeline")).status_code == 403


async def test_an_investment_profile_takes_the_scope_that_shows_it(sales: Sales) -> None:
    customer = await sales.create()
    profile = {"risk_tolerance": "balanced", "experience": "good", "objectives": ["growth"], "horizon_years": 10}
    await sales.put(customer, "/profile", reviewed_on="2026-01-15", review_due_on="2027-01-15", **profile)
    await sales.h.pump()
    assert "customer.profile_changed" not in await types(sales.h, customer["id"], "customers:read")
    assert "customer.profile_changed" in await types(sales.h, customer["id"], "customers:read customers:profile")


async def test_a_lead_is_there_with_its_history_once_it_is_the_customers(sales: Sales) -> None:
    customer, lead = UUID((await sales.create())["id"]), uuid7()
    said: dict[str, Any] = {"lead_id": lead, "name": "Grace", "via": "form", "score": 0, "owner_id": sales.bo}
    asked = leads.LeadConverted(
        lead_id=lead,
        customer_id=customer,
        existing=True,
        customer_name="Ada",
        kind="company",
        currency="EUR",
        contact=leads.LeadContact(person_id=uuid7(), name="Grace"),
        owner_id=sales.bo,
    )
    refused = leads.LeadConversionRefused(lead_id=lead, customer_id=customer, reason="Gone")
    whole = ["crm.lead.converted", "crm.lead.qualified", "crm.lead.created"]
    steps: tuple[tuple[Event, list[str]], ...] = (
        (leads.LeadCreated(status="new", **said), []),
        (leads.LeadQualified(lead_id=lead), []),
        (asked, whole),
        (leads.LeadUpdated(status="converted", customer_id=customer, **said), whole),
        (refused, whole),
        (leads.LeadUpdated(status="qualified", **said), []),
        (asked, ["crm.lead.converted", *whole]),
        (leads.LeadDeleted(lead_id=lead), ["crm.lead.deleted", "crm.lead.converted", *whole]),
    )
    for event, seen in steps:
        await sales.h.deliver(event, aggregate_id=lead)
        assert await types(sales.h, customer, kind="lead") == seen, event.type
    assert {each["title"] for each in await shown(sales.h, customer, kind="lead")} == {None}
    for scopes, user, many in (
        ("leads:read:own", sales.bo, 5),
        ("leads:read:own", sales.cy, 0),
        ("opportunities:read", sales.bo, 0),
    ):
        assert len(await types(sales.h, customer, f"customers:read {scopes}", user, kind="lead")) == many
    assert "Grace" not in str(await rows(sales.h))


async def test_who_takes_over_sees_what_was_before(sales: Sales) -> None:
    id, one = UUID((await sales.create())["id"]), uuid7()
    await sales.h.deliver(task(id, sales.bo, one), aggregate_id=one)
    given = activities.TaskAssigned(
        task_id=one, title="Call", customer_id=id, user_id=sales.cy, previous_user_id=sales.bo
    )
    await sales.h.deliver(given, aggregate_id=one)
    scopes = "customers:read tasks:read:own"
    assert await types(sales.h, id, scopes, sales.bo, kind="task") == []
    assert await types(sales.h, id, scopes, sales.cy, kind="task") == ["task.created"]


async def test_a_merge_shows_both_histories_until_it_is_undone(sales: Sales) -> None:
    one, other, third = [await sales.create(name) for name in ("One", "Other", "Third")]
    for customer in (one, other, third):
        await history(sales, UUID(customer["id"]))
    await sales.h.pump()
    before = {each["id"]: await shown(sales.h, each["id"]) for each in (one, other, third)}
    await sales.act(one, "merge", into_customer_id=other["id"], reason="the same")
    await sales.act(other, "merge", into_customer_id=third["id"], reason="the same")
    kinds = [each["type"] for each in await shown(sales.h, third["id"])]
    assert [kinds.count(each) for each in ("order.created", "shipment.created", "task.created")] == [3, 3, 3]
    await sales.act(other, "unmerge", reason="not")
    await sales.act(one, "unmerge", reason="not")
    assert {each["id"]: await shown(sales.h, each["id"]) for each in (one, other, third)} == before


@pytest.mark.parametrize("query", [{}, {"sort": "occurred_at"}, {"kind": "task"}])
async def test_pages_of_merged_customers_are_the_pages_of_one(sales: Sales, query: dict[str, Any]) -> None:
    """Whatever the page's size: each entry once, in the order of both histories together."""
    one, other, third = [await sales.create(name) for name in ("One", "Other", "Third")]
    for customer in (one, other, third) * 3:
        await history(sales, UUID(customer["id"]))
    for each in (one, other):
        await sales.act(each, "merge", into_customer_id=third["id"], reason="the same")
    await sales.h.pump()
    whole = await shown(sales.h, third["id"], **query)
    backwards = query.get("sort") is None
    assert whole == sorted(whole, key=lambda each: (each["occurred_at"], each["id"]), reverse=backwards)
    assert {each["customer_id"] for each in whole} == {each["id"] for each in (one, other, third)}
    for limit in (1, 4, len(whole)):
        pages: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            asked = {"limit": limit, **query, **cursor}
            answer = (await sales.h.client.get(f"{AT}/{third['id']}/timeline", params=asked)).json()
            pages += answer["items"]
            if answer["next_cursor"] is None:
                break
            assert len(answer["items"]) == limit
            cursor = {"cursor": answer["next_cursor"]}
        assert pages == whole, limit


async def test_of_merged_customers_no_more_is_read_than_a_page_shows(sales: Sales) -> None:
    """Of 3,000 entries of each: by what PostgreSQL says that it read, with the row-level security of a request."""
    subjects = [uuid7(), uuid7()]
    for id in subjects:
        await sales.h.deliver(task(id, None, id), aggregate_id=id)
    more = """
    INSERT INTO timeline_entry (tenant_id, id, subject_id, customer_id, kind, type, occurred_at, details)
    SELECT tenant_id, gen_random_uuid(), subject_id, customer_id, kind, type, occurred_at - n * interval '1 minute', details
    FROM timeline_entry, generate_series(1, 3000) AS n WHERE subject_id = ANY($1)
    """
    await sales.h.admin.execute(more, subjects)
    await sales.h.admin.execute("ANALYZE timeline_entry, timeline_subject")
    who = Principal(user_id=sales.h.user, tenant_id=sales.h.tenant, scopes=frozenset({"*"}))
    dialect = make_url("postgresql://").get_dialect()()
    page = PageRequest({"id": TimelineEntry.id, "occurred_at": TimelineEntry.occurred_at}, "-occurred_at", limit=20)
    async with sales.h.tx() as tx:
        made = await timeline.shown_to(tx, who, subjects, teams)
        query = rows_of(made(page), page).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        typed = re.sub(r"(ARRAY\[[^]]*\])", r"CAST(\1 AS uuid[])", str(query))
        (plan,) = await tx.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {typed}"))
    assert 42 <= entries_read(plan["Plan"]) <= 100


def entries_read(node: dict[str, Any]) -> float:
    """How many rows of entries a plan looked at, those besides that it passed over."""
    here = (
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        if node.get("Relation Name") == "timeline_entry"
        else 0
    )
    return float(here * node["Actual Loops"]) + sum(entries_read(each) for each in node.get("Plans", ()))


async def test_a_document_takes_its_history_along(sales: Sales) -> None:
    one, other = [UUID((await sales.create(name))["id"]) for name in ("One", "Other")]
    ids = [uuid7() for _ in range(3)]
    await sales.h.deliver(task(one, None, ids[0]), aggregate_id=ids[0])
    await sales.h.deliver(shipment(ids[1], ids[2]), aggregate_id=ids[2])
    await sales.h.deliver(order(one, ids[1]), aggregate_id=ids[1])
    assert len(await types(sales.h, one)) == 3
    await sales.h.deliver(task(other, None, ids[0], activities.TaskUpdated), aggregate_id=ids[0])
    await sales.h.deliver(order(other, ids[1], orders.OrderChanged), aggregate_id=ids[1])
    assert await types(sales.h, one) == []
    assert sorted(await types(sales.h, other)) == ["order.created", "shipment.created", "task.created"]


async def test_what_is_told_side_by_side_of_an_order_and_its_shipment_finds_its_customer(sales: Sales) -> None:
    one = UUID((await sales.create("One"))["id"])
    dispatcher = Dispatcher("customers", sales.h.database, [timeline])
    for _ in range(12):
        order_id, shipped = uuid7(), uuid7()
        told = ((order_id, order(one, order_id)), (shipped, shipment(order_id, shipped)))
        records = [sales.h._record(event, id, 1, sales.h.tenant, datetime.now(UTC), None) for id, event in told]
        await asyncio.gather(*(dispatcher.copy().deliver([record]) for record in records))
    found = await sales.h.admin.fetch("SELECT type, customer_id FROM timeline_entry WHERE kind <> 'customer'")
    assert sorted(map(tuple, found)) == sorted([("order.created", one), ("shipment.created", one)] * 12)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_order_events_come_in_and_in_whatever_batches_the_rows_are_the_same(
    sales: Sales, seed: int
) -> None:
    """Of one document in their order; between documents in any."""
    one, other = [UUID((await sales.create(name))["id"]) for name in ("One", "Other")]
    streams: list[list[tuple[UUID, Event]]] = []
    for _ in range(12):
        order_id, shipped, made = uuid7(), uuid7(), uuid7()
        streams.append([(order_id, order(one, order_id)), (order_id, order(other, order_id, orders.OrderChanged))])
        streams.append([(shipped, shipment(order_id, shipped))])
        streams.append([(made, task(one, sales.bo, made)), (made, task(other, sales.cy, made, activities.TaskUpdated))])
    records: list[Any] = []
    for stream in streams:
        for number, (id, event) in enumerate(stream, 1):
            record = await sales.h.deliver(event, aggregate_id=id, sequence=number)
            records.append(record)
    wanted = await rows(sales.h)
    tables = ", ".join(table.name for table in timeline.tables)
    order_of = random.Random(seed)
    keys = [record.key for record in records]
    order_of.shuffle(keys)
    queues = {key: [record for record in records if record.key == key] for key in keys}
    mixed = [queues[key].pop(0) for key in keys]
    await sales.h.admin.execute(f"TRUNCATE {tables}")
    await sales.h.admin.execute("DELETE FROM inbox WHERE subscriber = 'customers.timeline'")
    while mixed:
        size = order_of.randint(1, 9)
        batch, mixed = mixed[:size], mixed[size:]
        await sales.h.redeliver(*batch)
    assert await rows(sales.h) == wanted


def test_a_source_that_names_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="does not say nothing_such"):
        Source(kind="task", scope="tasks:read", key="task_id", tells=(Told(activities.TaskCreated, ("nothing_such",)),))


def test_two_do_not_say_whose_a_document_is() -> None:
    with pytest.raises(TypeError, match="shipment: whose it is, its parent says"):
        Source(kind="shipment", scope="shipping:read", key="shipment_id", parent="order_id")
