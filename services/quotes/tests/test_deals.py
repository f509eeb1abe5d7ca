"""A quote is made for an opportunity that there is, of its own customer, and open when it is first named."""

from typing import Any
from uuid import UUID

import pytest

from contracts.customers import CustomerMerged
from contracts.opportunities import OpportunityDeleted
from tailrace.core.ids import uuid7

from .conftest import Desk

LONG_AGO = UUID("0196f0a0-0000-7000-8000-000000000000")


def fields(refused: dict[str, Any]) -> list[str]:
    return [each["field"] for each in refused["errors"]]


@pytest.mark.parametrize(("id", "status"), [(LONG_AGO, 422), (None, 409)])
async def test_one_that_is_not_known_is_refused_or_still_to_come(desk: Desk, id: UUID | None, status: int) -> None:
    named = id or uuid7()
    assert fields(await desk.create(status=status, opportunity_id=str(named))) == ["/opportunity_id"]
    assert await desk.h.published() == []
    await desk.opportunity(id=named)
    assert (await desk.create(opportunity_id=str(named)))["opportunity_id"] == str(named)


async def test_another_customers_is_refused(desk: Desk) -> None:
    bob = uuid7()
    await desk.customer(bob, "C-2", "Bob Ltd")
    theirs, mine = str(await desk.opportunity(bob)), str(await desk.opportunity())
    assert fields(await desk.create(status=422, opportunity_id=theirs)) == ["/opportunity_id"]
    quote = await desk.create(opportunity_id=mine)
    moved = await desk.put(quote, status=422, customer_id=str(bob), opportunity_id=mine)
    assert fields(moved) == ["/opportunity_id"]
    assert (await desk.put(quote, customer_id=str(bob), opportunity_id=theirs))["opportunity_id"] == theirs


async def test_that_of_a_merged_customer_is_the_others(desk: Desk) -> None:
    group = uuid7()
    await desk.customer(group, "C-2", "Ada Group")
    before, after = str(await desk.opportunity()), str(await desk.opportunity(group))
    merged = CustomerMerged(customer_id=desk.ada, into_customer_id=group, reason="the same")
    await desk.h.deliver(merged, aggregate_id=desk.ada)
    for opportunity in (before, after):
        quote = await desk.create(opportunity_id=opportunity)
        assert (quote["customer_id"], quote["opportunity_id"]) == (str(group), opportunity)


async def test_that_of_a_customer_who_is_still_being_made_is_asked_for_again(desk: Desk) -> None:
    opportunity = str(await desk.opportunity(uuid7()))
    assert fields(await desk.create(status=409, opportunity_id=opportunity)) == ["/opportunity_id"]
    await desk.opportunity(id=UUID(opportunity))
    assert (await desk.create(opportunity_id=opportunity))["opportunity_id"] == opportunity


@pytest.mark.parametrize("end", ["won", "lost", "deleted"])
async def test_one_that_has_ended_is_named_no_more_but_kept(desk: Desk, end: str) -> None:
    opportunity = await desk.opportunity()
    quote = await desk.create(opportunity_id=str(opportunity))
    if end == "deleted":
        told = OpportunityDeleted(opportunity_id=opportunity, number="O-1")
        await desk.h.deliver(told, aggregate_id=opportunity)
    else:
        await desk.opportunity(status=end, id=opportunity)
    assert fields(await desk.create(status=422, opportunity_id=str(opportunity))) == ["/opportunity_id"]
    changed = await desk.put(quote, opportunity_id=str(opportunity), notes="Other words.")
    assert (changed["opportunity_id"], changed["notes"]) == (str(opportunity), "Other words.")
    dropped = await desk.put(quote)
    assert dropped["opportunity_id"] is None
    assert fields(await desk.put(quote, status=422, opportunity_id=str(opportunity))) == ["/opportunity_id"]
