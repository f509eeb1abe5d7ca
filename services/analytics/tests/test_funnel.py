"""Funnels follow documents along what they came of; cohorts count customers by their first order."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from selling_desk import NOON, Desk, order_said

from contracts import leads, opportunities, orders, quotes
from tailrace.core.ids import uuid7

FUNNEL, COHORTS = "/v1/reports/funnel", "/v1/reports/cohorts"
OCTOBER: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01"}


async def lead(desk: Desk, at: datetime, owner: UUID | None) -> UUID:
    id = uuid7()
    made = leads.LeadCreated(lead_id=id, status="new", name="G", via="api", owner_id=owner, score=0)
    await desk.h.deliver(made, aggregate_id=id, time=at)
    return id


async def opportunity(desk: Desk, at: datetime, of: UUID | None, amount: int, owner: UUID | None) -> UUID:
    id = uuid7()
    made = opportunities.OpportunityCreated(
        opportunity_id=id,
        number="O",
        name="O",
        status="open",
        customer_id=uuid7(),
        lead_id=of,
        owner_id=owner,
        pipeline_id=uuid7(),
        stage="s",
        amount=amount,
        currency="EUR",
        category="best",
        expected_close_on=date(2026, 12, 1),
    )
    await desk.h.deliver(made, aggregate_id=id, time=at)
    return id


async def quote(desk: Desk, at: datetime, of: UUID, net: int, owner: UUID | None) -> UUID:
    id, day = uuid7(), date(2026, 12, 1)
    head = {"quote_id": id, "number": "Q", "revision": 1, "customer_id": uuid7(), "currency": "EUR"}
    head |= {"valid_until": day, "net": net, "tax": 0}
    made = quotes.QuoteCreated(
        **head, customer_name="A", owner_id=owner, opportunity_id=of, dated=day, discount=0, lines=[]
    )
    await desk.h.deliver(made, aggregate_id=id, time=at)
    await desk.h.deliver(quotes.QuoteSent(**head), aggregate_id=id, time=at)
    return id


async def order(desk: Desk, at: datetime, net: int, owner: UUID | None, **more: Any) -> UUID:
    said = {**order_said(1, net, owner), **more}
    id = said["order_id"]
    await desk.h.deliver(orders.OrderCreated(**said), aggregate_id=id, time=at)
    await desk.h.deliver(orders.OrderConfirmed(**said), aggregate_id=id, time=at)
    return UUID(str(id))


async def test_a_funnel_counts_what_became_of_what_began(desk: Desk) -> None:
    later = NOON + timedelta(days=40)
    first, second, _, too_late = [await lead(desk, at, desk.bo) for at in (NOON, NOON, NOON, later)]
    one = await opportunity(desk, NOON, first, 700, desk.bo)
    two = await opportunity(desk, later, second, 300, desk.bo)
    for of in (too_late, None):
        await opportunity(desk, NOON, of, 9_000, desk.bo)
    sold = [await quote(desk, NOON, one, net, desk.bo) for net in (650, 600)]
    await quote(desk, later, two, 200, desk.bo)
    bound = await order(desk, later, 600, desk.bo, quote_id=sold[1])
    await order(desk, NOON, 5_000, desk.bo)
    invoice = {"order_id": bound, "invoice_id": uuid7(), "invoice_number": "I"}
    invoiced = orders.OrderInvoiced(**invoice, invoicing="full", invoiced=660)
    await desk.h.deliver(invoiced, aggregate_id=bound, time=later)

    async def stages(**query: Any) -> list[Any]:
        found = (await desk.ask(FUNNEL, **OCTOBER, **query))["stages"]
        shown = [(one["stage"], one["count"], one["of_previous"], one["lost"]) for one in found]
        amounts = [[(each["currency"], each["amount"]) for each in one["amounts"]] for one in found]
        return list(zip(shown, amounts, strict=True))

    assert await stages() == [
        (("lead", 3, None, None), []),
        (("opportunity", 2, "0.666667", 1), [("EUR", 1_000)]),
        (("quote", 3, "1", 0), [("EUR", 1_450)]),
        (("order", 1, "0.333333", 2), [("EUR", 600)]),
        (("invoice", 1, "1", 0), [("EUR", 660)]),
        (("payment", 0, "0", 1), []),
    ]
    then = await stages(as_of="2026-10-31")
    assert [shown[1] for shown, _ in then] == [3, 1, 2, 0, 0, 0]
    asked: list[dict[str, Any]] = [{}, {"as_of": "2026-10-31"}, {"start": "opportunity"}]
    for query in asked:
        for one in (await desk.ask(FUNNEL, **OCTOBER, **query))["stages"]:
            listed = await desk.every(one["records"])
            assert len(listed) == len({each["id"] for each in listed}) == one["count"], one
            added = sum(each["amount"] for document in listed for each in document["amounts"])
            assert added == sum(each["amount"] for each in one["amounts"]), one
            if one["lost"] is not None:
                assert len(await desk.every(one["lost_records"])) == one["lost"], one
    assert (await stages(start="order"))[0] == (("order", 1, None, None), [("EUR", 5_000)])
    seen = await desk.ask(FUNNEL, client=desk.h.client_as("reports:read:own", user=desk.di), **OCTOBER)
    assert {one["count"] for one in seen["stages"]} == {0}
    for where in (client := desk.h.client_as("reports:read:own", user=desk.di), desk.h.client):
        listed = await desk.ask(f"{FUNNEL}/records", client=where, stage="lead", **OCTOBER)
        assert len(listed["items"]) == (0 if where is client else 3)
        assert listed["freshness"]["set_aside"] == 0
    wrongs: list[dict[str, Any]] = [{"stage": "lead", "start": "order"}, {"stage": "payment", "led": "true"}]
    for wrong in wrongs:
        await desk.ask(f"{FUNNEL}/records", 422, **OCTOBER, **wrong)
    rows = await desk.h.client.get(
        f"{FUNNEL}/records?stage=lead&from=2026-10-01&until=2026-11-01", headers={"Accept": "text/csv"}
    )
    assert len(rows.text.splitlines()) == 1 + 3


async def test_customers_are_counted_by_their_first_order(desk: Desk) -> None:
    ada, eve, old = uuid7(), uuid7(), uuid7()
    september, november = NOON - timedelta(days=30), NOON + timedelta(days=31)
    await order(desk, september - timedelta(days=30), 1, desk.bo, customer_id=old)
    for at, who, net in (
        (september, ada, 100),
        (NOON, ada, 50),
        (NOON, ada, 7),
        (NOON, eve, 20),
        (november, ada, 30),
        (NOON, old, 4),
    ):
        await order(desk, at, net, desk.bo, customer_id=who)
    await order(desk, NOON, 8, desk.bo, customer_id=ada, currency="JPY")
    asked: dict[str, Any] = {"from_": "2026-09-01", "until": "2026-12-01"}

    async def cohorts(**query: Any) -> list[Any]:
        found = (await desk.ask(COHORTS, **asked, **query))["cohorts"]
        for part in (part for one in found for part in one["parts"]):
            listed = await desk.every(part["records"])
            assert len({row["customer_id"] for row in listed}) == part["customers"], part
            added: dict[str, int] = {}
            for row in listed:
                added[row["currency"]] = added.get(row["currency"], 0) + row["amount"]
            assert added == {each["currency"]: each["amount"] for each in part["amounts"]}, part
        return [
            (
                one["begins_on"],
                one["customers"],
                [
                    (part["begins_on"], part["customers"], part["rate"], [each["amount"] for each in part["amounts"]])
                    for part in one["parts"]
                ],
            )
            for one in found
        ]

    first = [("2026-09-01", 1, "1", [100]), ("2026-10-01", 1, "1", [57, 8]), ("2026-11-01", 1, "1", [30])]
    assert await cohorts() == [("2026-09-01", 1, first), ("2026-10-01", 1, [("2026-10-01", 1, "1", [20])])]
    assert await cohorts(as_of="2026-09-30") == [("2026-09-01", 1, first[:1])]
