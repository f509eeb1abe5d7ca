"""From any end of what happened to the whole of it: forward and back, across requests, and honest about what has not come."""

import time
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from scribe import Scribe, id_of

from audit.trace import CROWD, MOST
from audit.views import TraceView
from contracts import activities, opportunities, quotes
from tailrace.core.events import Event
from tailrace.core.ids import uuid7

_ACCESS = {
    "service": "orders",
    "method": "POST",
    "status": 200,
    "milliseconds": 12,
    "address": "192.0.2.7",
    "lost": 0,
}
SVG = "{http://www.w3.org/2000/svg}"


class Sale:
    """An order that is created, confirmed and shipped by three requests, with what each sets in motion."""

    def __init__(self, scribe: Scribe, stock: UUID) -> None:
        s, self.order, self.shipment, self.journal, self.stock = scribe, uuid7(), uuid7(), uuid7(), stock
        self.clicks = [uuid7() for _ in range(3)]
        created = s.event("order.created", self.order, correlation=self.clicks[0])
        confirmed = s.event("order.confirmed", self.order, correlation=self.clicks[1])
        wanted = s.event("order.reservation_requested", self.order, cause=confirmed)
        reserved = s.event("inventory.stock.reserved", stock, cause=wanted, topic="inventory.events")
        made = s.event("inventory.reservation.made", uuid7(), cause=wanted, topic="inventory.events")
        asked = s.event("order.shipment_requested", self.order, cause=made)
        opened = s.event("shipment.created", self.shipment, cause=asked, topic="shipment.events")
        left = s.event("shipment.dispatched", self.shipment, correlation=self.clicks[2], topic="shipment.events")
        self.posted = s.event("accounting.journal.posted", self.journal, cause=left, topic="accounting.events")
        done = s.event("order.shipment_progressed", self.order, cause=left)
        self.all = [created, confirmed, wanted, reserved, made, asked, opened, left, self.posted, done]


async def of(scribe: Scribe, id: UUID) -> dict[str, Any]:
    """A trace, which is written past the view that promises it."""
    said = dict(await scribe.get(f"/v1/trace/{id}"))
    assert TraceView.model_validate(said).model_dump(mode="json") == said
    return said


async def test_every_end_leads_to_the_whole_and_no_further(scribe: Scribe) -> None:
    stock = uuid7()
    one, two = Sale(scribe, stock), Sale(scribe, stock)
    await scribe.say(*one.all, *two.all)
    ends = [one.order, one.shipment, one.journal, *one.clicks, *(id_of(each) for each in one.all)]
    for end in ends:
        trace = await of(scribe, end)
        assert {node["id"] for node in trace["nodes"]} == {str(id_of(each)) for each in one.all}, end
        assert (trace["complete"], trace["missing"]) == (True, [])


async def test_edges_say_what_caused_and_what_followed(scribe: Scribe) -> None:
    sale = Sale(scribe, uuid7())
    await scribe.say(*sale.all)
    trace = await of(scribe, sale.journal)
    types = {node["id"]: node["type"] for node in trace["nodes"]}
    edges = {(types[edge["cause"]], types[edge["effect"]], edge["kind"]) for edge in trace["edges"]}
    assert ("shipment.dispatched", "accounting.journal.posted", "caused") in edges
    assert ("shipment.created", "shipment.dispatched", "followed") in edges
    assert ("order.created", "order.confirmed", "followed") in edges
    assert ("order.confirmed", "order.reservation_requested", "caused") in edges
    assert trace["about"] == "document"


async def test_a_cause_that_has_not_come_is_said_to_be_missing_until_it_comes(scribe: Scribe) -> None:
    order, cause = uuid7(), scribe.event("order.confirmed", uuid7())
    effect = scribe.event("order.allocated", order, cause=cause)
    await scribe.say(effect)
    trace = await of(scribe, order)
    assert (trace["complete"], [(gap["kind"], gap["id"]) for gap in trace["missing"]]) == (
        False,
        [("cause", str(id_of(cause)))],
    )
    await scribe.say(cause)
    assert (await of(scribe, order))["complete"]


async def test_a_gap_of_a_document_is_said(scribe: Scribe) -> None:
    order = uuid7()
    first, second, third = (scribe.event("order.noted", order) for _ in range(3))
    await scribe.say(first)
    await scribe.h.redeliver(third, may_dead_letter=True)
    trace = await of(scribe, order)
    assert (trace["complete"], [gap["kind"] for gap in trace["missing"]]) == (False, ["waiting"])
    assert second is not None


async def test_a_document_with_fewer_records_than_events_is_not_complete(scribe: Scribe) -> None:
    """As when one was dropped from the dead letters."""
    sale = Sale(scribe, uuid7())
    await scribe.say(*sale.all)
    await scribe.h.admin.execute("UPDATE document SET sequence = sequence + 1 WHERE id = $1", sale.order)
    trace = await of(scribe, sale.journal)
    said = {"kind": "sequence", "id": str(sale.order), "detail": "5 of 6 events have come."}
    assert (trace["complete"], trace["missing"]) == (False, [said])


async def test_an_access_is_where_a_trace_begins(scribe: Scribe) -> None:
    sale = Sale(scribe, uuid7())
    about = {"request_id": str(sale.clicks[1]), "user_id": str(scribe.h.user), "ids": [str(sale.order)]}
    said = {**_ACCESS, **about, "path": "/v1/orders/{order_id}/confirm"}
    click = scribe.event("gateway.accessed", uuid7(), topic="gateway.access", correlation=sale.clicks[1], data=said)
    await scribe.say(*sale.all, click)
    trace = await of(scribe, sale.journal)
    (access,) = [node for node in trace["nodes"] if node["kind"] == "access"]
    assert (access["label"], access["service"]) == ("POST /v1/orders/{order_id}/confirm → 200", "gateway")
    confirmed = str(id_of(sale.all[1]))
    assert {"cause": access["id"], "effect": confirmed, "kind": "asked"} in trace["edges"]
    record = await scribe.get(f"/v1/audit/records/{id_of(click)}")
    assert record["data_in_full"]["address"] == "192.0.2.7"
    hidden = await scribe.h.client_as("audit-log:read").get(f"/v1/audit/records/{id_of(click)}")
    assert (hidden.json()["data"]["address"], hidden.json()["data"]["path"]) == ("[personal]", said["path"])


async def test_another_company_has_no_such_trace(scribe: Scribe) -> None:
    sale = Sale(scribe, uuid7())
    await scribe.say(*sale.all)
    other = scribe.h.client_as(tenant=scribe.h.other_tenant)
    for id in (sale.order, sale.clicks[0], id_of(sale.posted)):
        assert (await other.get(f"/v1/trace/{id}")).status_code == 404


@pytest.mark.parametrize("many", [CROWD + 1, MOST])
async def test_of_what_one_import_began_each_has_a_trace_of_its_own(scribe: Scribe, many: int) -> None:
    """A file of orders over one stock; of two of them it is known what came of them later."""
    stock, job = uuid7(), uuid7()
    others = [scribe.event("order.created", uuid7(), correlation=job) for _ in range(many)]
    mine = [_imported(scribe, stock, job) for _ in range(2)]
    said = {**_ACCESS, "request_id": str(job), "user_id": str(scribe.h.user), "path": "/v1/orders/import", "ids": []}
    click = scribe.event("gateway.accessed", uuid7(), topic="gateway.access", correlation=job, data=said)
    await scribe.say(click, *others, *mine[0][1], *mine[1][1])
    for ends, records in mine:
        expected = {str(id_of(each)) for each in (click, *records)}
        for end in (*ends, id_of(records[-1])):
            trace = await of(scribe, end)
            assert {node["id"] for node in trace["nodes"]} == expected
            assert (trace["complete"], trace["missing"]) == (True, [])
    whole = await of(scribe, job)
    assert (len(whole["nodes"]), whole["truncated"]) == (min(1 + many + 2 * 9, MOST), many == MOST)


def _imported(scribe: Scribe, stock: UUID, job: UUID) -> tuple[list[UUID], list[Any]]:
    """Order, shipment and journal; and what came of the order by itself, and of its shipment when somebody dispatched it."""
    order, shipment, journal = [uuid7() for _ in range(3)]
    created = scribe.event("order.created", order, correlation=job)
    confirmed = scribe.event("order.confirmed", order, correlation=job)
    wanted = scribe.event("order.reservation_requested", order, cause=confirmed)
    reserved = scribe.event("inventory.stock.reserved", stock, cause=wanted, topic="inventory.events")
    asked = scribe.event("order.shipment_requested", order, cause=reserved)
    opened = scribe.event("shipment.created", shipment, cause=asked, topic="shipment.events")
    timed = scribe.event("order.noted", order, correlation=job)  # by a timer, which names no cause
    left = scribe.event("shipment.dispatched", shipment, correlation=uuid7(), topic="shipment.events")
    posted = scribe.event("accounting.journal.posted", journal, cause=left, topic="accounting.events")
    return [order, shipment, journal], [created, confirmed, wanted, reserved, asked, opened, timed, left, posted]


async def test_more_than_can_be_shown_is_said_to_be_more(scribe: Scribe) -> None:
    click = uuid7()
    await scribe.say(*(scribe.event("order.created", uuid7(), correlation=click) for _ in range(MOST + 5)))
    trace = await of(scribe, click)
    assert (len(trace["nodes"]), trace["truncated"], trace["complete"]) == (MOST, True, False)


async def test_a_thousand_nodes_come_in_a_moment(scribe: Scribe) -> None:
    order, click = uuid7(), uuid7()
    root = scribe.event("order.confirmed", order, correlation=click)
    level, records = [root], [root]
    while len(records) < 1000:
        level = [
            scribe.event("inventory.stock.reserved", uuid7(), cause=cause, topic="inventory.events")
            for cause in level
            for _ in range(3)
        ]
        records += level
    await scribe.say(*records[:1000])
    await scribe.fill(2000, documents=100)
    await scribe.h.admin.execute("ANALYZE")
    async with scribe.h.tx() as tx:
        from audit.trace import trace

        quickest = 1e9
        for _ in range(5):
            began = time.process_time()
            found = await trace(tx, order)
            quickest = min(quickest, time.process_time() - began)
            tx.expunge_all()
    assert (len(found.nodes), len(found.edges), found.complete) == (1000, 999, True)
    assert quickest < 0.1, f"{quickest * 1000:.0f} ms of this process's time"


async def test_a_long_way_is_gone_to_its_end_or_said_to_be_cut_short(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request acts on what the one before made, and makes the next."""
    documents = [uuid7() for _ in range(40)]
    await scribe.say(scribe.event("order.created", documents[0]))
    for before, made in pairwise(documents):
        click = uuid7()
        await scribe.say(scribe.event("order.noted", before, correlation=click))
        await scribe.say(scribe.event("order.created", made, correlation=click))
    for end in (documents[0], documents[-1]):
        trace = await of(scribe, end)
        assert (len(trace["nodes"]), trace["complete"], trace["truncated"]) == (79, True, False)
    monkeypatch.setattr("audit.trace._ROUNDS", 12)
    trace = await of(scribe, documents[-1])
    assert (trace["complete"], trace["truncated"], len(trace["nodes"]) < 79) == (False, True, True)


async def test_the_picture_is_plain_svg_that_says_what_it_shows(scribe: Scribe) -> None:
    sale = Sale(scribe, uuid7())
    evil = scribe.event("order.noted", sale.order, actor='<script>alert(1)</script>"&')
    told = {**_ACCESS, "path": "/v1/shipments/{shipment_id}/dispatch", "status": 409}
    asked = scribe.event("gateway.accessed", uuid7(), correlation=sale.clicks[2], topic="gateway.access", data=told)
    await scribe.say(*sale.all, evil, asked)
    answer = await scribe.h.client.get(f"/v1/trace/{sale.order}.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    root = ET.fromstring(answer.text)
    assert root.tag == f"{SVG}svg"
    title, said = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title is not None and str(sale.order) in title
    assert said is not None and "accounting" in said and said.endswith("Complete.")
    assert not [
        each.tag for each in root.iter() if each.tag.removeprefix(SVG) in ("script", "foreignObject", "image", "use")
    ]
    shown = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "order.confirmed" in shown and "accounting.journal.posted" in shown
    assert "POST /shipments/…/di… → 409" in shown


async def test_causes_are_drawn_left_of_their_effects_whatever_the_clocks_said(scribe: Scribe) -> None:
    now = datetime.now(UTC)
    first = scribe.event("order.confirmed", uuid7(), at=now)
    late = scribe.event(
        "inventory.reservation.made", uuid7(), cause=first, topic="inventory.events", at=now - timedelta(seconds=5)
    )
    await scribe.say(first, late)
    root = ET.fromstring((await scribe.h.client.get(f"/v1/trace/{id_of(late)}.svg")).text)
    at = {
        group.get("aria-label", "").split(",")[0]: float(box.get("x", ""))
        for group in root.iter(f"{SVG}g")
        for box in group.findall(f"{SVG}rect")[:1]
    }
    assert at["order.confirmed"] < at["inventory.reservation.made"]


class Selling:
    """A lead that became an opportunity, two quotes of it and an order of each; a meeting and a task for it, each a request of its own."""

    def __init__(self, scribe: Scribe) -> None:
        self.scribe, self.customer = scribe, uuid7()
        self.lead, self.opportunity, self.task, self.meeting = (uuid7() for _ in range(4))
        self.quotes, self.orders = [uuid7() for _ in range(2)], [uuid7() for _ in range(2)]
        sale, crm = "sales.events", "opportunity.events"
        planned = {
            "title": "Visit",
            "time_zone": "Etc/UTC",
            "customer_id": self.customer,
            "opportunity_id": self.opportunity,
        }
        now = datetime.now(UTC)
        self.all = [
            scribe.event("crm.lead.created", self.lead, topic=crm),
            self.made(self.described(lead_id=self.lead), self.opportunity),
            scribe.event("crm.opportunity.stage_changed", self.opportunity, topic=crm),
            self.made(
                activities.MeetingCreated(
                    meeting_id=self.meeting, owner_id=None, status="planned", starts_at=now, ends_at=now, **planned
                ),
                self.meeting,
            ),
            self.made(
                activities.TaskCreated(task_id=self.task, user_id=None, status="open", priority="normal", **planned),
                self.task,
            ),
            scribe.event("task.completed", self.task, topic=sale),
        ]
        self.of_order: list[list[Any]] = []
        for quote, order in zip(self.quotes, self.orders, strict=True):
            offered = self.made(self.offer(quote), quote)
            accepted = scribe.event("quote.accepted", quote, topic="quote.events")
            self.of_order.append([offered, accepted, scribe.event("order.created", order, cause=accepted)])

    def made(self, event: Event, id: UUID) -> Any:
        return self.scribe.event(event.type, id, topic=event.topic, data=event.model_dump(mode="json"))

    def described(self, **given: Any) -> opportunities.OpportunityCreated:
        said: dict[str, Any] = {
            "number": "OP-1",
            "name": "A bridge",
            "status": "open",
            "stage": "A",
            "amount": 1,
            "currency": "EUR",
        }
        return opportunities.OpportunityCreated(
            opportunity_id=self.opportunity,
            customer_id=self.customer,
            pipeline_id=uuid7(),
            category="best",
            expected_close_on=date(2026, 12, 1),
            **said,
            **given,
        )

    def offer(self, id: UUID, **given: Any) -> quotes.QuoteCreated:
        said: dict[str, Any] = {
            "number": "Q-1",
            "revision": 1,
            "customer_name": "Ada",
            "currency": "EUR",
            "discount": 0,
        }
        day = date(2026, 12, 1)
        named = {"opportunity_id": self.opportunity, **given}
        return quotes.QuoteCreated(
            quote_id=id, customer_id=self.customer, dated=day, valid_until=day, net=1, tax=0, lines=[], **said, **named
        )


async def test_an_order_shows_what_was_done_for_its_opportunity_and_not_what_else_came_of_that(scribe: Scribe) -> None:
    one, other = Selling(scribe), Selling(scribe)
    for each in (one, other):
        await scribe.say(*each.all, *each.of_order[0], *each.of_order[1])
    before = {str(id_of(each)) for each in one.all}
    orders = [{str(id_of(each)) for each in records} for records in one.of_order]
    for number, order in enumerate(one.orders):
        assert {node["id"] for node in (await of(scribe, order))["nodes"]} == before | orders[number]
    for end in (one.lead, one.opportunity, one.task, one.meeting):
        assert {node["id"] for node in (await of(scribe, end))["nodes"]} == before.union(*orders), end
    trace = await of(scribe, one.orders[0])
    types = {node["id"]: node["type"] for node in trace["nodes"]}
    linked = {(types[edge["cause"]], types[edge["effect"]]) for edge in trace["edges"] if edge["kind"] == "linked"}
    assert linked == {
        ("crm.lead.created", "crm.opportunity.created"),
        ("crm.opportunity.stage_changed", "meeting.created"),
        ("crm.opportunity.stage_changed", "task.created"),
        ("crm.opportunity.stage_changed", "quote.created"),
    }
    assert trace["complete"]
    # The quote turns out to be another opportunity's.
    changed = quotes.QuoteUpdated.model_validate(
        one.offer(one.quotes[0], opportunity_id=other.opportunity).model_dump()
    )
    await scribe.say(one.made(changed, one.quotes[0]))
    shown = {node["document_id"] for node in (await of(scribe, one.orders[0]))["nodes"]}
    assert (str(other.task) in shown, str(one.task) in shown) == (True, False)
