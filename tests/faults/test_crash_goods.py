"""Processes die while goods come back, what waits is given goods, and a carrier is asked: each happens once, to the piece and to the minor unit."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from asking import free_port
from depot import Depot, reserved
from failpoints import Failpoint
from forkserver import ForkServer
from ordered import Order
from partner import Asked, PartnerListener, answer
from scenes import Play, Scene, playing
from tariffs import carrier, kept, tariff

from contracts.orders import Rank
from contracts.return_shipments import InspectedLine, ReturnInspected
from inventory.service import service as inventory
from shipping.service import service as shipping
from tailrace.core.ids import uuid7
from tailrace.settings import PartnerAddress
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

# Goods that come back.


async def _comes_back(point: Failpoint, committed: bool, scene: Scene) -> None:
    """Three pieces left at 10; one is sold again and one thrown away. The record comes twice, and the process dies at it."""
    depot = Depot(scene.harness)
    await depot.hear_the_catalog()
    await depot.receive("3", 10)
    request = await depot.order(depot.line("3"), partial=True)
    left = depot.shipment(request, "3")
    await depot.h.deliver(left, aggregate_id=left.shipment_id)
    line = left.lines[0]
    ids = {"line_id": line.line_id, "item_id": line.item_id, "warehouse_id": line.warehouse_id}
    said = [
        InspectedLine(return_line_id=uuid7(), shipment_id=left.shipment_id, verdict=verdict, quantity=Decimal(1), **ids)
        for verdict in ("restock", "scrap")
    ]
    event = ReturnInspected(
        return_id=uuid7(),
        return_shipment_id=uuid7(),
        order_id=left.order_id,
        number="RT-000001",
        complete=True,
        lines=said,
        inspected_at=datetime.now(UTC),
    )
    record = depot.h._record(event, event.return_shipment_id, 1, depot.h.tenant, datetime.now(UTC), None)
    await scene.produce([record, record])
    await scene.start(point).struck()
    assert await depot.layers() == ([("1", 3)] if committed else [])
    scene.start()
    await eventually(scene.read, lambda found: found == (2, 2), what="the group at the end of its topic")
    assert await depot.layers() == [("1", 3)]
    came = [each for each in await depot.told("stock.received") if each.reason == "return"]
    gone = [each for each in await depot.told("stock.issued") if each.reason == "scrap"]
    assert ([each.value for each in came], [each.value for each in gone]) == ([3, 4], [4])
    assert (await depot.h.prove()).proven
    assert await depot.h.admin.fetchval("SELECT count(*) FROM dead_letter") == 0


PLAYS: dict[str, Play] = {
    "looked up": partial(_comes_back, Failpoint("inventory.customer_returns:_departed", "after"), False),
    "in and out, not written": partial(_comes_back, Failpoint("inventory.ledger:write"), False),
    "written, not committed": partial(_comes_back, Failpoint("inventory.ledger:write", "after"), False),
    "committed, offset not": partial(_comes_back, Failpoint("aiokafka:AIOKafkaConsumer.commit"), True),
}


@pytest.fixture(scope="module")
async def under_way(
    request: pytest.FixtureRequest, databases: Databases, issuer: TestIssuer, forkserver: ForkServer, kafka: str
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    async with playing(PLAYS, request, inventory, "shipment.events", databases, issuer, forkserver, kafka) as tasks:
        yield tasks


@pytest.mark.parametrize("play", PLAYS)
async def test_what_comes_back_comes_in_once(play: str, under_way: dict[str, "asyncio.Task[None]"]) -> None:
    await under_way[play]


# What waits for goods.

FILLS = {
    "one of two is held": Failpoint("inventory.backorders:_hold", "after"),
    "held, not written": Failpoint("inventory.ledger:write"),
    "written, its timer still there": Failpoint("tailrace.messaging.timers:Timer.fire", "after"),
    "committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after"),
}


@pytest.mark.parametrize("where", FILLS)
async def test_what_waits_is_given_goods_once(where: str, make_harness: MakeHarness, forkserver: ForkServer) -> None:
    depot = Depot(await make_harness(inventory))
    await depot.hear_the_catalog()
    ranks = [Rank(priority=number, confirmed_at=datetime.now(UTC)) for number in (2, 1)]
    second, first = [await depot.order(depot.line("4"), partial=True, waits=True, rank=rank) for rank in ranks]
    await depot.receive("6", 600)
    await depot.h.make_timers_due()
    settings = {"database_url": depot.h.settings.database_url, "log_level": "ERROR"}
    given: dict[str, Any] = {"service": "inventory", "settings": settings, "parts": ["consumer"]}
    await forkserver.start("serve", [FILLS[where]], port=free_port(), **given).struck()
    life = forkserver.start("serve", port=free_port(), **given)
    left = "SELECT count(*) FROM timer WHERE name = 'inventory.backorder_filling'"
    await eventually(lambda: depot.h.admin.fetchval(left), lambda found: found == 0, what="the end of filling")
    await life.kill()
    made = [(one.fills, reserved(one.lines)) for one in await depot.told("reservation.made") if one.fills]
    assert made == [(first.reservation_id, [4]), (second.reservation_id, [2])], "by turn, and each once"
    assert await depot.figures() == ("6", "6", 600)
    assert (await depot.h.prove()).proven


# A carrier is asked.

ASKS = {
    "answered": Failpoint("tailrace.errands.calls:Caller.call", "after"),
    "noted, not committed": Failpoint("shipping.booking.models:Booking.confirm", "after"),
    "committed": Failpoint("tailrace.errands.runner:ErrandRunner._apply", "after"),
}


@pytest.mark.parametrize("where", ASKS)
async def test_a_carrier_takes_a_shipment_once(where: str, make_harness: MakeHarness, forkserver: ForkServer) -> None:
    h = await make_harness(shipping)
    taken: dict[str, str] = {}

    def decide(asked: Asked) -> bytes:
        """A carrier takes what it has taken already under the number that it gave it."""
        number = taken.setdefault(json.loads(asked.body)["reference"], f"TR{len(taken) + 1}")
        said = {"tracking_number": number, "cost": 620, "currency": "EUR"}
        return answer(201, json.dumps(said).encode())

    async with PartnerListener() as partner:
        partner.decide = decide
        post = await carrier(h, bookable=True)
        await kept(h, tariff(post, "T", days=2))
        order = Order(h)
        shipment = await order.packed()
        h.settings.partners = {"carrier": PartnerAddress(url=partner.url)}
        asked = await h.client.post("/v1/bookings", json={"shipment_id": shipment, "choice": "cheapest"})
        assert asked.status_code == 201, asked.text
        made = asked.json()
        given = _sending(h, partner)
        await forkserver.start("serve", [ASKS[where]], port=free_port(), **given).struck()
        life = forkserver.start("serve", port=free_port(), **given)
        left = "SELECT count(*) FROM errand_turn"
        await eventually(lambda: h.admin.fetchval(left), lambda found: found == 0, what="no errand left")
        await life.kill()
        keys = {each.headers["idempotency-key"] for each in partner.asked}
    booking = (await h.client.get(f"/v1/bookings/{made['id']}")).json()
    assert (booking["status"], booking["tracking_number"], len(taken), len(keys)) == ("booked", "TR1", 1, 1)
    assert len(await h.published("shipment.booking.confirmed")) == 1


def _sending(h: Harness, partner: PartnerListener) -> dict[str, Any]:
    """A process of shipping that reaches the carrier, and whose errands another takes soon after its death."""
    settings: dict[str, Any] = {"database_url": h.settings.database_url, "log_level": "ERROR", "errand_grace": 1.0}
    settings |= {"partners": {"carrier": {"url": partner.url}}, "errands_allow": [partner.target]}
    return {"service": "shipping", "settings": settings, "parts": ["consumer"]}
