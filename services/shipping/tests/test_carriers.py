"""Carriers come and go; one that goods are on their way with stays."""

import asyncio
from uuid import UUID

from ordered import Order

from contracts.shipments import CarrierRestored
from shipping.carriers import Carrier
from tailrace.db import master_data
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually


async def test_carriers_come_and_go_and_show_the_way(order: Order, shipping: Harness) -> None:
    body = {"code": "DHL", "name": "DHL", "tracking_url": "https://track.example/?id={number}"}
    made = (await shipping.client.post("/v1/carriers", json=body)).json()
    taken = await shipping.client.post("/v1/carriers", json=body)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/code")
    for url in ("javascript:alert({number})", "https://track.example/"):
        bad = await shipping.client.post("/v1/carriers", json={**body, "code": "X", "tracking_url": url})
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "/tracking_url")
    shipment = await order.shipment()
    sent = (await order.post(shipment, "dispatch", carrier_id=made["id"], tracking_number="A/1")).json()
    assert sent["tracking_link"] == "https://track.example/?id=A%2F1"
    at = f"/v1/carriers/{made['id']}"
    renamed = await shipping.client.put(at, json={**body, "name": "DHL Express"}, headers={"If-Match": '"1"'})
    assert (renamed.status_code, renamed.headers["etag"]) == (200, '"2"')
    assert (await shipping.client.put(at, json=body, headers={"If-Match": '"1"'})).status_code == 412
    on_its_way = await shipping.client.delete(at)
    assert (on_its_way.status_code, on_its_way.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert sent["number"] in on_its_way.json()["detail"]
    await order.post(shipment, "deliver", signed_by="Hanako Sato")
    assert (await shipping.client.delete(at)).status_code == 204
    assert (await shipping.client.get(at)).status_code == 404
    (gone,) = (await shipping.client.get("/v1/carriers", params={"deleted": True})).json()["items"]
    assert gone["id"] == made["id"]
    again = (await shipping.client.post("/v1/carriers", json=body)).json()
    taken = await shipping.client.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/code")
    await shipping.client.put(f"/v1/carriers/{again['id']}", json={**body, "code": "UPS"})
    restored = await shipping.client.post(f"{at}/restore")
    assert (restored.status_code, restored.json()["name"]) == (200, "DHL Express")
    (told,) = await shipping.published(CarrierRestored)
    assert told.event.code == "DHL"
    assert (await shipping.client.delete(at)).status_code == 204
    other = await Order(shipping).shipment()
    gone = await order.post(other, "dispatch", carrier_id=made["id"])
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "/carrier_id")


async def test_a_carrier_that_is_deleted_at_the_moment_of_a_dispatch_takes_nothing(
    order: Order, shipping: Harness
) -> None:
    made = (await shipping.client.post("/v1/carriers", json={"code": "DHL", "name": "DHL"})).json()
    shipment = await order.shipment()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with shipping.tx() as tx:
        await master_data.delete(tx, Carrier, UUID(made["id"]), None)
        await tx.flush()
        sent = asyncio.create_task(order.post(shipment, "dispatch", carrier_id=made["id"]))

        async def settled() -> bool:
            return sent.done() or bool(await shipping.admin.fetchval(waiting))

        await eventually(settled, bool, what="the dispatch, or its wait for the carrier")
    refused = await sent
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/carrier_id")
