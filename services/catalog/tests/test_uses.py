"""What is in use is not deleted, what was deleted can be restored, and a deletion that was overtaken by a use is undone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from catalog.models import Item, Unit
from contracts import customers, inventory, orders, shipments
from contracts.catalog import ItemRestored, PriceListRestored, UnitRestored, WarehouseRestored
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db import master_data
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

Answer = dict[str, Any]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIVE, NOTHING = Decimal(5), Decimal(0)


class Store:
    """A bolt and a warehouse, and what others say of the two."""

    def __init__(self, catalog: Harness) -> None:
        self.h = catalog
        self.item_id, self.warehouse_id = uuid7(), uuid7()
        self.order_id, self.shipment_id, self.reservation_id, self.line_id = uuid7(), uuid7(), uuid7(), uuid7()

    async def make(self) -> None:
        bolt = {"sku": "BOLT", "name": "Bolt", "tax_rate": "0.19"}
        self.item_id = UUID((await self.post("items", **bolt))["id"])
        self.warehouse_id = UUID((await self.post("warehouses", code="NORTH", name="North"))["id"])

    async def post(self, path: str, status: int = 201, **body: Any) -> Answer:
        answer = await self.h.client.post(f"/v1/{path}", json=body or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    @property
    def both(self) -> tuple[str, str]:
        return f"/v1/items/{self.item_id}", f"/v1/warehouses/{self.warehouse_id}"

    async def refused(self) -> list[str]:
        """Why neither can be deleted."""
        answers = [await self.h.client.delete(path) for path in self.both]
        assert [answer.status_code for answer in answers] == [409, 409], answers[0].text
        assert {answer.json()["type"] for answer in answers} == {"urn:tailrace:problem:in-use"}
        return [answer.json()["detail"] for answer in answers]

    async def deleted(self) -> None:
        assert [(await self.h.client.delete(path)).status_code for path in self.both] == [204, 204]

    async def hear(self, *events: Event) -> None:
        ids = {"order.events": self.order_id, "shipment.events": self.shipment_id, "inventory.events": self.line_id}
        for event in events:
            await self.h.deliver(event, aggregate_id=ids[event.topic], time=NOW)

    # What is heard.

    def order(
        self, kind: type[Any] = orders.OrderCreated, item: UUID | None = None, place: UUID | None = None
    ) -> Event:
        line = orders.OrderLine(
            line_id=self.line_id,
            item_id=item or self.item_id,
            sku="BOLT",
            name="Bolt",
            warehouse_id=place or self.warehouse_id,
            quantity=FIVE,
            unit_price=Decimal(1),
            net=5,
            tax_rate=NOTHING,
            tax=0,
        )
        terms = {"number": "SO-000007", "customer_reference": "C", "customer_name": "C", "currency": "EUR"}
        event: Event = kind(order_id=self.order_id, net=5, tax=0, lines=[line], ordered_at=NOW, **terms)
        return event

    def order_shipped(self, how_far: Any) -> Event:
        return orders.OrderShipmentProgressed(order_id=self.order_id, shipment=how_far, lines=[])

    def order_cancelled(self) -> Event:
        return orders.OrderCancelled(order_id=self.order_id, reason="changed their mind")

    def shipment(self, kind: type[Any] = shipments.ShipmentCreated, **given: Any) -> Event:
        line = shipments.DispatchedLine(
            line_id=self.line_id,
            item_id=self.item_id,
            sku="BOLT",
            name="Bolt",
            warehouse_id=self.warehouse_id,
            quantity=FIVE,
            line_quantity=FIVE,
            line_net=5,
            line_tax=0,
            dispatched_before=NOTHING,
        )
        said = {"number": "SO-000007-1", "currency": "EUR", "customer_name": "C", "reservation_id": self.reservation_id}
        said |= {"lines": [line], "dispatched_at": NOW, "reason": "r", **given}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(shipment_id=self.shipment_id, order_id=self.order_id, **fields)
        return event

    def stock(self, kind: type[Any], quantity: int, **given: Any) -> Event:
        said = {
            "value": 1,
            "currency": "EUR",
            "layers": [],
            "effective_at": NOW,
            "layer_id": uuid7(),
            "reason": "purchase",
        }
        said |= {"line_id": self.line_id, "to_warehouse_id": uuid7(), "reservation_id": self.reservation_id, **given}
        fields = {name: value for name, value in said.items() if name in kind.model_fields}
        event: Event = kind(item_id=self.item_id, warehouse_id=self.warehouse_id, quantity=Decimal(quantity), **fields)
        return event

    def received(self, quantity: int) -> Event:
        return self.stock(inventory.StockReceived, quantity)

    def issued(self, quantity: int, held_by: UUID | None = None) -> Event:
        return self.stock(inventory.StockIssued, quantity, reason="scrap", reservation_id=held_by)


@pytest.fixture
async def store(catalog: Harness) -> Store:
    store = Store(catalog)
    await store.make()
    return store


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
    split = s.shipment(shipments.ShipmentLinesChanged)
    return {
        "a draft that is dropped": ([s.order()], order, [s.order_cancelled()]),
        "a draft that is for something else now": ([s.order()], order, [changed]),
        "a draft that came to it": ([changed, s.order(orders.OrderChanged)], order, [s.order_cancelled()]),
        "an order that has left": (
            [s.order(), s.order(orders.OrderConfirmed), s.order_shipped("partial")],
            order,
            [s.order_shipped("full")],
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


RESOURCES: dict[str, tuple[Any, Answer]] = {
    "items": (
        ItemRestored,
        {"sku": "GLUE", "name": "Glue", "tax_rate": "0", "conversions": [{"unit": "box", "factor": "2"}]},
    ),
    "units": (UnitRestored, {"code": "t", "name": "Tonne", "dimension": "mass", "factor": "1000"}),
    "warehouses": (WarehouseRestored, {"code": "SOUTH", "name": "South", "country": "DE"}),
    "price-lists": (PriceListRestored, {"code": "RETAIL", "name": "Retail", "currency": "EUR"}),
}


@pytest.mark.parametrize(("path", "event", "body"), [(path, *each) for path, each in RESOURCES.items()])
async def test_what_was_deleted_is_listed_and_restored(store: Store, path: str, event: Any, body: Answer) -> None:
    prices = {"prices": [{"item_id": str(store.item_id), "unit_price": "5"}]} if path == "price-lists" else {}
    made = await store.post(path, **body, **prices)
    at = f"/v1/{path}/{made['id']}"
    await store.h.client.delete(at)
    (gone,) = (await store.h.client.get(f"/v1/{path}", params={"deleted": True})).json()["items"]
    assert (gone["id"], gone["version"]) == (made["id"], 2)
    back = await store.h.client.post(f"{at}/restore", headers={"If-Match": '"2"'})
    assert (back.status_code, back.headers["etag"]) == (200, '"3"')
    assert (await store.h.client.get(at)).json() == back.json()
    assert {**back.json(), "version": 1, "updated_at": made["updated_at"]} == made
    assert (await store.h.client.get(f"/v1/{path}", params={"deleted": True})).json()["items"] == []
    (told,) = [p.event for p in await store.h.published() if isinstance(p.event, event)]
    code = "sku" if path == "items" else "code"
    assert getattr(told, code) == body[code]
    await store.h.client.delete(at)
    await store.post(path, **body)
    taken = await store.h.client.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, f"/{code}")


async def test_nothing_is_restored_that_refers_to_something_deleted(store: Store) -> None:
    client = store.h.client
    ton = await store.post("units", code="t", name="Tonne", dimension="mass", factor="1000")
    sand = await store.post("items", sku="SAND", name="Sand", tax_rate="0", unit="t")
    price = {"item_id": sand["id"], "unit_price": "5"}
    listed = await store.post("price-lists", code="RETAIL", name="Retail", currency="EUR", prices=[price])
    for path, id in (("price-lists", listed["id"]), ("items", sand["id"]), ("units", ton["id"])):
        assert (await client.delete(f"/v1/{path}/{id}")).status_code == 204
    for path, id, field in (("price-lists", listed["id"], "/prices/0/item_id"), ("items", sand["id"], "/unit")):
        problem = await store.post(f"{path}/{id}/restore", 409)
        assert (problem["type"], problem["errors"][0]["field"]) == ("urn:tailrace:problem:refers-to-deleted", field)
    for path, id in (("units", ton["id"]), ("items", sand["id"]), ("price-lists", listed["id"])):
        await store.post(f"{path}/{id}/restore", 200)


@pytest.mark.parametrize("begun", ["order", "stock", "shipment"])
async def test_a_use_that_is_heard_of_after_the_deletion_undoes_it(store: Store, begun: str) -> None:
    await store.deleted()
    await store.hear({"order": store.order(), "stock": store.received(5), "shipment": store.shipment()}[begun])
    for path in store.both:
        assert (await store.h.client.get(path)).json()["version"] == 3
    await store.refused()
    restored = [p for p in await store.h.published() if isinstance(p.event, ItemRestored | WarehouseRestored)]
    assert len(restored) == 2
    assert all(each.causation_id is not None for each in restored)


async def test_what_is_heard_of_again_from_long_ago_restores_nothing(store: Store) -> None:
    await store.deleted()
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await store.h.deliver(store.received(5), aggregate_id=store.line_id, time=long_ago)
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_what_only_ends_restores_nothing(store: Store) -> None:
    await store.hear(store.stock(inventory.StockAdjusted, 5), store.stock(inventory.StockAdjusted, -5))
    await store.deleted()
    await store.hear(store.stock(inventory.StockAdjusted, -5), store.issued(1), store.order_cancelled())
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_one_whose_code_is_taken_stays_deleted_and_its_use_is_kept(store: Store) -> None:
    await store.deleted()
    other = await store.post("items", sku="BOLT", name="Another bolt", tax_rate="0")
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404
    assert (await store.h.client.get(store.both[1])).status_code == 200
    assert (await store.h.client.get(f"/v1/items/{other['id']}")).json()["version"] == 1
    assert await store.h.admin.fetchval("SELECT count(*) FROM use WHERE used_id = $1", store.item_id) == 1


async def test_one_whose_code_is_taken_in_another_spelling_stays_deleted_too(store: Store) -> None:
    await store.deleted()
    await store.post("items", sku="bolt", name="Another bolt", tax_rate="0")
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404


async def test_one_that_refers_to_something_deleted_stays_deleted_until_that_is_back(store: Store) -> None:
    await store.deleted()
    unit = (await store.h.client.get("/v1/units", params={"code": "pcs"})).json()["items"][0]
    assert (await store.h.client.delete(f"/v1/units/{unit['id']}")).status_code == 204
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 404
    assert (await store.h.client.get(store.both[1])).status_code == 200
    refused = await store.h.client.post(f"{store.both[0]}/restore")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "/unit")
    await store.post(f"units/{unit['id']}/restore", 200)
    await store.hear(store.received(5))
    assert (await store.h.client.get(store.both[0])).status_code == 200


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
