"""What is in use is not deleted, also when both happen at the same moment."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from catalog.models import Item, Unit
from contracts import customers, inventory, opportunities, orders, quotes, returns, shipments
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db import master_data
from tailrace_testing.gateway import eventually

from .conftest import NOW, Store


async def test_a_price_list_is_kept_while_a_customer_has_it(store: Store) -> None:
    prices = [{"item_id": str(store.item_id), "unit_price": "5"}]
    listed = await store.post("price-lists", code="TRADE", name="Trade", currency="EUR", prices=prices)
    path, ada = f"/v1/price-lists/{listed['id']}", uuid7()
    terms = {"number": "C-000007", "kind": "company", "status": "active", "name": "Ada Works", "currency": "EUR"}

    async def hear(kind: type[Any], price_list: str | None = None) -> None:
        event = kind(customer_id=ada, payment_terms_days=30, price_list_id=price_list, **terms)
        await store.h.deliver(event, aggregate_id=ada)

    await hear(customers.CustomerCreated, listed["id"])
    refused = await store.h.client.delete(path)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert "C-000007" in refused.text and f"/v1/customers/{ada}" in refused.text
    await hear(customers.CustomerUpdated)
    assert (await store.h.client.delete(path)).status_code == 204
    # A customer who was given the list when it was being deleted has it back.
    await hear(customers.CustomerUpdated, listed["id"])
    assert (await store.h.client.get(path)).status_code == 200
    await store.h.deliver(customers.CustomerDeleted(customer_id=ada, number="C-000007"), aggregate_id=ada)
    assert (await store.h.client.delete(path)).status_code == 204


async def test_what_nobody_needs_is_deleted(store: Store) -> None:
    await store.deleted()


def uses(s: Store) -> dict[str, tuple[Sequence[Event], str, Sequence[Event]]]:
    """What is heard first, who is named then, and what ends it."""
    changed = s.order(orders.OrderChanged, item=uuid7(), place=uuid7())
    order, stock = (
        f"order SO-000007 (/v1/orders/{s.order_id})",
        f"stock (/v1/inventory/stock/{s.item_id}/{s.warehouse_id})",
    )
    shipment = f"shipment SO-000007-1 (/v1/shipments/{s.shipment_id})"
    held = f"reservation (/v1/inventory/reservations/{s.reservation_id})"
    reserved = s.stock(inventory.StockReserved, 5)
    back = f"return RT-000001 (/v1/returns/{s.return_id})"
    split = s.shipment(shipments.ShipmentLinesChanged)
    quote = f"quote Q-000007/1 (/v1/quotes/{s.quote_id})"
    return {
        "a quote that nobody waits for": ([s.quoted()], quote, [s.quoted(quotes.QuoteUpdated, open=False)]),
        "a draft that is dropped": ([s.order()], order, [s.order_cancelled()]),
        "a draft that is for something else now": ([s.order()], order, [changed]),
        "a draft that came to it": ([changed, s.order(orders.OrderChanged)], order, [s.order_cancelled()]),
        "an order that has left": (
            [s.order(), s.order(orders.OrderConfirmed), s.order_shipped("partial")],
            order,
            [s.order_shipped("full")],
        ),
        "goods that came back": (
            [s.goods_back(returns.ReturnRequested), s.goods_back()],
            back,
            [s.goods_back(returns.ReturnClosed)],
        ),
        "a shipment that left": ([s.shipment()], shipment, [s.shipment(shipments.ShipmentDispatched)]),
        "a shipment that was split": ([s.shipment(), split], shipment, [s.shipment(shipments.ShipmentCancelled)]),
        "a shipment that lost its lines": (
            [s.shipment()],
            shipment,
            [s.shipment(shipments.ShipmentLinesChanged, lines=[])],
        ),
        "stock that is used up": ([s.received(5), s.issued(3)], stock, [s.issued(2)]),
        "stock that was moved": ([s.received(5)], stock, [s.stock(inventory.StockTransferred, 5)]),
        "stock that a count found": (
            [s.stock(inventory.StockAdjusted, 5)],
            stock,
            [s.stock(inventory.StockAdjusted, -5)],
        ),
        "less than nothing": ([s.issued(5)], stock, [s.received(5)]),
        "a promise beside a shortfall": (
            [s.received(5), reserved, s.issued(5)],
            held,
            [s.stock(inventory.StockReservationReleased, 5)],
        ),
        "a promise that was kept": (
            [s.received(5), reserved],
            f"{held}, {stock}",
            [s.issued(5, held_by=s.reservation_id)],
        ),
    }


@pytest.mark.parametrize("case", uses(Store(None)))  # type: ignore[arg-type]
async def test_what_is_in_use_is_not_deleted_before_that_ends(store: Store, case: str) -> None:
    begun, named, over = uses(store)[case]
    await store.hear(*begun)
    of_item, of_warehouse = await store.refused()
    assert of_item == f"Item BOLT is still needed by {named}."
    assert of_warehouse == f"Warehouse NORTH is still needed by {named}."
    await store.hear(*over)
    await store.deleted()


async def test_an_offer_needs_what_it_offers_until_it_is_over_however_it_ends(store: Store) -> None:
    ends = (
        *(quotes.QuoteOrdered, quotes.QuoteDeclined, quotes.QuoteExpired, quotes.QuoteCancelled),
        *(quotes.QuoteDeleted, quotes.QuoteRevised, quotes.QuoteRejected),
    )
    for end in ends:
        store.quote_id = uuid7()
        await store.hear(store.quoted())
        await store.refused()
        await store.hear(store.quoted(end))
        assert await store.h.admin.fetchval("SELECT count(*) FROM use") == 0, end.type
    await store.deleted()


async def test_an_opportunity_needs_its_items_while_it_is_open(store: Store) -> None:
    updated, item = opportunities.OpportunityUpdated, store.both[0]
    gone = opportunities.OpportunityDeleted(opportunity_id=store.opportunity_id, number="OP-000007")

    async def kept() -> None:
        refused = await store.h.client.delete(item)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:in-use")
        needed_by = f"opportunity OP-000007 (/v1/opportunities/{store.opportunity_id})"
        assert refused.json()["detail"] == f"Item BOLT is still needed by {needed_by}."

    await store.hear(store.hoped_for())
    await kept()
    ends = {
        "won": store.hoped_for(updated, status="won"),
        "lost": store.hoped_for(updated, status="lost"),
        "for something else": store.hoped_for(updated, item=uuid7()),
        "deleted": gone,
    }
    for how, end in ends.items():
        await store.hear(end)
        assert (await store.h.client.delete(item)).status_code == 204, how
        # Reopened, changed or restored while the item was being deleted: it is there again.
        await store.hear(store.hoped_for(opportunities.OpportunityRestored if end is gone else updated))
        assert (await store.h.client.get(item)).status_code == 200, how
        await kept()
    await store.hear(gone)
    await store.deleted()


async def test_what_begins_and_ends_in_one_delivery_leaves_nothing(store: Store) -> None:
    await store.deleted()
    records = []
    for sequence, event in enumerate([store.received(5), store.issued(5)], 1):
        records.append(store.h._record(event, store.line_id, sequence, store.h.tenant, NOW, None))
    for sequence, event in enumerate([store.order(), store.order_cancelled()], 1):
        records.append(store.h._record(event, store.order_id, sequence, store.h.tenant, NOW, None))
    await store.h.redeliver(*records)
    assert await store.h.admin.fetchval("SELECT count(*) FROM use") == 0


async def test_what_is_said_again_in_one_delivery_keeps_its_name(store: Store) -> None:
    told = [store.shipment(), store.shipment(shipments.ShipmentLinesChanged)]
    records = [store.h._record(e, store.shipment_id, n, store.h.tenant, NOW, None) for n, e in enumerate(told, 1)]
    await store.h.redeliver(*records)
    assert "shipment SO-000007-1" in (await store.refused())[0]


async def test_a_few_are_named_and_the_rest_counted_in(store: Store) -> None:
    for _ in range(7):
        store.order_id = uuid7()
        await store.hear(store.order())
    detail = (await store.refused())[0]
    assert detail.count("order SO-000007") == 5
    assert detail.endswith(" and more.")


async def test_another_tenants_uses_are_not_ours(store: Store) -> None:
    event = store.order()
    await store.h.deliver(event, aggregate_id=store.order_id, tenant=store.h.other_tenant)
    await store.deleted()


async def test_items_that_are_priced_and_units_that_are_converted_to_stay(store: Store) -> None:
    client = store.h.client
    price = {"item_id": str(store.item_id), "unit_price": "5"}
    listed = await store.post("price-lists", code="RETAIL", name="Retail", currency="EUR", prices=[price])
    refused = await client.delete(store.both[0])
    assert (refused.status_code, refused.json()["detail"]) == (409, "Price list RETAIL has a price for BOLT.")
    assert (await client.delete(f"/v1/price-lists/{listed['id']}")).status_code == 204
    box = await store.post("units", code="box", name="Box", dimension="box")
    nut = {"sku": "NUT", "name": "Nut", "tax_rate": "0", "conversions": [{"unit": "box", "factor": "12"}]}
    item = await store.post("items", **nut)
    assert (await client.delete(f"/v1/units/{box['id']}")).json()["type"] == "urn:tailrace:problem:in-use"
    await client.put(f"/v1/items/{item['id']}", json={**nut, "conversions": []})
    assert (await client.delete(f"/v1/units/{box['id']}")).status_code == 204


async def test_a_deletion_and_a_use_at_the_same_moment_take_turns(store: Store) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with store.h.tx() as tx:
        await master_data.delete(tx, Item, store.item_id, None)
        await tx.flush()
        came = store.h._record(store.received(5), store.line_id, 1, store.h.tenant, NOW, None)
        heard = asyncio.create_task(store.h.dispatcher.deliver([came]))

        async def settled() -> bool:
            return heard.done() or bool(await store.h.admin.fetchval(waiting))

        await eventually(settled, bool, what="the use, or its wait for the deletion")
    await heard
    assert (await store.h.client.get(store.both[0])).json()["version"] == 3


async def test_a_unit_and_an_item_that_comes_to_it_take_turns(store: Store) -> None:
    box = await store.post("units", code="box", name="Box", dimension="box")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with store.h.tx() as tx:
        await master_data.delete(tx, Unit, UUID(box["id"]), None)
        await tx.flush()
        crate = {"sku": "CRATE", "name": "Crate", "tax_rate": "0", "unit": "box"}
        made = asyncio.create_task(store.h.client.post("/v1/items", json=crate))

        async def settled() -> bool:
            return made.done() or bool(await store.h.admin.fetchval(waiting))

        await eventually(settled, bool, what="the item, or its wait for the unit")
    refused = await made
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/unit")


async def test_uses_come_out_the_same_when_they_are_built_again(store: Store) -> None:
    await store.hear(store.received(5), store.issued(2), store.order(), store.shipment())
    rows = "SELECT used_id, kind, user_id, name, link, amount FROM use ORDER BY 1, 2, 3"
    before = await store.h.admin.fetch(rows)
    assert len(before) == 6
    await store.h.admin.execute("TRUNCATE use; DELETE FROM inbox WHERE subscriber = 'catalog.uses'")
    await store.h.redeliver(*store.h._records)
    assert await store.h.admin.fetch(rows) == before
