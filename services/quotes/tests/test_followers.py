"""Quotes follow what becomes of others: customers that are merged or deleted, owners who leave, the order that one became."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts.customers import CustomerDeleted, CustomerMerged, CustomerRestored, CustomerUnmerged
from contracts.orders import LineQuantity, OrderCancelled, OrderCreated, OrderReinstated, OrderRestCancelled
from contracts.quotes import QuoteAccepted, QuoteOrderEnded
from contracts.users import UserDeleted
from quotes import timers
from tailrace.core.clock import now
from tailrace.core.ids import uuid7

from .conftest import Desk


async def fire(desk: Desk) -> None:
    while await desk.h.fire_timers():
        pass


async def test_open_quotes_of_a_merged_customer_go_to_the_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "AT_ONCE", 1)
    other = uuid7()
    await desk.customer(other, "C-2", "Ada Group")
    draft, sent, gone = await desk.create(), await desk.sent(), await desk.sent()
    waiting = await desk.waiting()
    await desk.act(gone, "decline", reason="no")
    merged = CustomerMerged(customer_id=desk.ada, into_customer_id=other, reason="the same")
    await desk.h.deliver(merged, aggregate_id=desk.ada)
    await fire(desk)
    of = {one["id"]: (await desk.read(one))["customer_id"] for one in (draft, sent, waiting, gone)}
    assert list(of.values()) == [str(other)] * 3 + [str(desk.ada)]
    assert (await desk.read(sent))["customer"]["name"] == "Ada Works", "the document stays"
    assert (await desk.read(waiting))["status"] == "in_approval", "so does what is being approved"
    assert (await desk.create())["customer_id"] == str(other), "and a new one follows"
    assert await desk.h.admin.fetchval("SELECT count(*) FROM customer_end") == 0


async def test_what_is_still_to_follow_stays_when_the_merge_is_undone(desk: Desk) -> None:
    other = uuid7()
    await desk.customer(other, "C-2", "Ada Group")
    draft = await desk.create()
    merged = CustomerMerged(customer_id=desk.ada, into_customer_id=other, reason="the same")
    await desk.h.deliver(merged, aggregate_id=desk.ada)
    undone = CustomerUnmerged(customer_id=desk.ada, from_customer_id=other, reason="a mistake")
    await desk.h.deliver(undone, aggregate_id=desk.ada)
    await fire(desk)
    assert (await desk.read(draft))["customer_id"] == str(desk.ada)
    assert (await desk.create())["customer_id"] == str(desk.ada)


async def test_open_quotes_of_a_deleted_customer_are_cancelled(desk: Desk) -> None:
    draft, sent, accepted = await desk.create(), await desk.sent(), await desk.act(await desk.sent(), "accept")
    await desk.h.deliver(CustomerDeleted(customer_id=desk.ada, number="C-1"), aggregate_id=desk.ada)
    await fire(desk)
    assert [(await desk.read(one))["status"] for one in (draft, sent)] == ["draft", "sent"], "it may be a mistake"
    await desk.h.make_timers_due()
    await fire(desk)
    states = [(await desk.read(one))["status"] for one in (draft, sent, accepted)]
    assert states == ["cancelled", "cancelled", "accepted"]
    refused = await desk.create(status=422)
    assert refused["errors"][0]["field"] == "/customer_id"
    assert (await desk.act(sent, "revise", 422))["errors"][0]["field"] == "/customer_id"
    assert await desk.h.admin.fetchval("SELECT count(*) FROM timer") == 0


async def test_a_customer_that_is_restored_in_time_keeps_its_quotes(desk: Desk) -> None:
    draft = await desk.create()
    await desk.h.deliver(CustomerDeleted(customer_id=desk.ada, number="C-1"), aggregate_id=desk.ada)
    back = CustomerRestored(
        customer_id=desk.ada,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=14,
    )
    await desk.h.deliver(back, aggregate_id=desk.ada)
    waits = "SELECT count(*) FROM timer WHERE name = 'quotes.customer_ending'"
    assert await desk.h.admin.fetchval(waits) == 0, "nothing is to come"
    await desk.h.make_timers_due()
    await fire(desk)
    assert (await desk.read(draft))["status"] == "draft"
    assert (await desk.create(price_list_id=str(desk.retail)))["status"] == "draft"


async def test_open_quotes_of_a_leaver_have_no_owner(desk: Desk) -> None:
    draft, declined = await desk.create(), await desk.act(await desk.sent(), "decline", reason="no")
    assert draft["owner_id"] == str(desk.h.user)
    await desk.h.deliver(UserDeleted(user_id=desk.h.user), aggregate_id=desk.h.user)
    await fire(desk)
    assert [(await desk.read(one))["owner_id"] for one in (draft, declined)] == [None, str(desk.h.user)]


async def test_a_quote_knows_the_order_that_it_became(desk: Desk) -> None:
    quote = await desk.act(await desk.sent(), "accept")
    order = uuid7()
    told = OrderCreated(
        order_id=order,
        number="SO-000001",
        customer_reference="x",
        customer_name="Ada Works",
        currency="EUR",
        net=1205,
        tax=121,
        lines=[],
        ordered_at=now(),
        quote_id=quote["id"],
    )
    record = await desk.h.deliver(told, aggregate_id=order)
    await desk.h.redeliver(record)
    assert (await desk.read(quote))["order_id"] == str(order)
    assert len(await desk.h.published("quote.ordered")) == 1
    assert (await desk.act(quote, "revise", 409))["detail"].endswith("revised once its order is cancelled.")
    other = told.model_copy(update={"quote_id": None, "order_id": uuid7()})
    await desk.h.deliver(other, aggregate_id=other.order_id)


async def _ordered(desk: Desk) -> tuple[dict[str, Any], UUID]:
    quote, order = await desk.act(await desk.sent(desk.line(discount_rate="0")), "accept"), uuid7()
    about = {
        "customer_reference": "x",
        "customer_name": "Ada Works",
        "currency": "EUR",
        "net": 1,
        "tax": 0,
        "lines": [],
    }
    told = OrderCreated(order_id=order, number="SO-000001", ordered_at=now(), quote_id=quote["id"], **about)
    await desk.h.deliver(told, aggregate_id=order)
    return quote, order


@pytest.mark.parametrize("rest", [False, True])
async def test_a_quote_whose_order_ended_is_revised(desk: Desk, rest: bool) -> None:
    """And what is accepted of the next revision becomes an order of its own."""
    quote, order = await _ordered(desk)
    given_up = [LineQuantity(line_id=uuid7(), quantity=Decimal(1))]
    whole, part = OrderCancelled, OrderRestCancelled
    told = part(order_id=order, reason="dear", lines=given_up) if rest else whole(order_id=order, reason="dear")
    record = await desk.h.deliver(told, aggregate_id=order)
    await desk.h.redeliver(record)
    await desk.h.deliver(OrderCancelled(order_id=(other := uuid7()), reason="of no quote"), aggregate_id=other)
    (ended,) = [one.event for one in await desk.h.published(QuoteOrderEnded)]
    assert (str(ended.order_id), ended.rest_only) == (str(order), rest)
    assert (await desk.read(quote))["order_ended"] is True
    again = await desk.act(quote, "revise", 201)
    assert (again["number"], again["revision"], again["net"]) == (quote["number"], 2, quote["net"])
    assert (again["order_id"], again["order_ended"]) == (None, False)
    assert (await desk.read(quote))["status"] == "superseded"
    accepted = await desk.act(await desk.act(await desk.act(again, "submit"), "send"), "accept")
    assert [str(one.event.quote_id) for one in await desk.h.published(QuoteAccepted)] == [
        quote["id"],
        accepted["id"],
    ]


async def test_a_quote_whose_order_stands_after_all_is_not_revised(desk: Desk) -> None:
    quote, order = await _ordered(desk)
    await desk.h.deliver(OrderCancelled(order_id=order, reason="dear"), aggregate_id=order)
    await desk.h.deliver(OrderReinstated(order_id=order, reason="2 had left"), aggregate_id=order)
    assert (await desk.act(quote, "revise", 409))["type"].endswith("quote-state")
    assert len(await desk.h.published("quote.order_resumed")) == 1
