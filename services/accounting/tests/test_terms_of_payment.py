"""When an invoice is due: as its order says, else as was agreed with the customer; and what goes on one invoice where orders say different things."""

from datetime import UTC, date, datetime, timedelta

from billing import ISSUER, Billing, Ordered

from tailrace_testing import today


async def shipped(billing: Billing, days: int | None, net: int = 100) -> tuple[Ordered, str]:
    """An order that says so, all of which left."""
    order = await billing.order(("1", net, "0.1"), payment_terms_days=days)
    return order, str(await billing.ship(order))


async def test_an_invoice_is_due_as_its_order_says(billing: Billing) -> None:
    _, shipment = await shipped(billing, 60)
    draft = await billing.post("/invoices", shipment_ids=[shipment])
    assert draft["payment_terms_days"] == 60
    issued = await billing.issue(draft)
    assert date.fromisoformat(issued["due_on"]) == today() + timedelta(days=60)
    _, agreed = await shipped(billing, None)
    assert (await billing.post("/invoices", shipment_ids=[agreed]))["payment_terms_days"] == 14
    at_once, _ = await shipped(billing, 0)
    assert (await billing.post("/invoices", order_id=str(at_once.id)))["payment_terms_days"] == 0
    _, other = await shipped(billing, 60)
    said = await billing.post("/invoices", shipment_ids=[other], payment_terms_days=7)
    assert said["payment_terms_days"] == 7, "who invoices may say otherwise"


async def test_what_is_invoiced_with_its_shipment_is_due_as_the_order_says(billing: Billing) -> None:
    await billing.put("/billing", mode="per_shipment", issues=True, issuer=ISSUER)
    await shipped(billing, 60)
    (made,) = (await billing.get("/invoices"))["items"]
    assert date.fromisoformat(made["due_on"]) == today() + timedelta(days=60)


async def test_an_order_that_is_confirmed_again_says_its_newest_terms(billing: Billing) -> None:
    order = await billing.order(("1", 100, "0.1"), payment_terms_days=60)
    again = order.event.model_copy(update={"payment_terms_days": 45, "revision": 2})
    await billing.h.deliver(again, aggregate_id=order.id)
    shipment = str(await billing.ship(order))
    assert (await billing.post("/invoices", shipment_ids=[shipment]))["payment_terms_days"] == 45


async def test_orders_of_several_terms_are_on_one_invoice_only_where_somebody_says_which(billing: Billing) -> None:
    shipments = [(await shipped(billing, days))[1] for days in (60, None, 14)]
    for source in ({"shipment_ids": shipments}, {"customer_id": str(billing.ada)}):
        refused = await billing.post("/invoices", 422, **source)
        assert [each["field"] for each in refused["errors"]] == ["/payment_terms_days"]
        assert "14, 60" in refused["detail"]
    same = await billing.post("/invoices", shipment_ids=shipments[1:])
    assert same["payment_terms_days"] == 14, "what was agreed is what the other says"
    assert (await billing.h.client.delete(f"/v1/accounting/invoices/{same['id']}")).status_code == 204
    whole = await billing.post("/invoices", customer_id=str(billing.ada), payment_terms_days=30)
    assert (whole["payment_terms_days"], whole["net"]) == (30, 300)


async def test_a_periodic_invoice_is_made_for_each_terms(billing: Billing) -> None:
    yesterday = today() - timedelta(days=1)
    await billing.put("/billing", mode="periodic", closing_day=yesterday.day, issues=True, issuer=ISSUER)
    noon = datetime.combine(yesterday, datetime.min.time(), UTC) + timedelta(hours=12)
    for days, net in ((60, 100), (None, 200), (60, 400), (14, 800)):
        await billing.ship(await billing.order(("1", net, "0.1"), payment_terms_days=days), at=noon)
    await billing.close(yesterday)
    made = (await billing.get("/invoices"))["items"]
    assert sorted((each["due_on"], each["net"]) for each in made) == [
        ((today() + timedelta(days=14)).isoformat(), 1_000),
        ((today() + timedelta(days=60)).isoformat(), 500),
    ]


async def test_what_is_asked_for_ahead_is_due_as_the_order_says(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"), payment_terms_days=60)
    ahead = {"order_id": str(order.id), "prepayment": {"share": "0.3"}}
    assert (await billing.post("/invoices", **ahead))["payment_terms_days"] == 60
    assert (await billing.post("/invoices", **ahead, payment_terms_days=0))["payment_terms_days"] == 0
    agreed = await billing.order(("10", 10_000, "0.1"))
    draft = await billing.post("/invoices", order_id=str(agreed.id), prepayment={"share": "0.3"})
    assert draft["payment_terms_days"] == 14
