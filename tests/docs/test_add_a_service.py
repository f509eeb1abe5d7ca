"""The page "Add a service": what it shows besides the files of `claims`, a reaction and a deadline, does in `claims` what the page says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from claims_page import claims_with

from contracts.shipments import ShipmentDelivered, ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness

AT = "/v1/claims"
_IMPORTS = '''"""What the page shows besides."""

from uuid import UUID

from sqlalchemy import select

from claims.models import Claim
from contracts.shipments import ShipmentDelivered
from tailrace.db.database import Tx
from tailrace.core.events import Meta
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace.messaging.timers import Timer

'''
# What the page says in words: where the deadline is set, and what the manifest names.
_SAID = {
    "routes.py": [
        (
            "from typing import Annotated\n",
            "from datetime import UTC, datetime, timedelta\nfrom typing import Annotated\n",
        ),
        ("from claims.models import", "from claims.besides import deadline\nfrom claims.models import"),
        (
            "    tx.add(claim)\n",
            "    tx.add(claim)\n    await deadline.set(tx, claim.id, datetime.now(UTC) + timedelta(days=30))\n",
        ),
        (
            "    claim.settle(body.outcome)\n",
            "    claim.settle(body.outcome)\n    await deadline.clear(tx, claim.id)\n",
        ),
    ],
    "service.py": [
        ("from claims import projections", "from claims import besides, projections"),
        ("[projections.shipments]", "[projections.shipments, besides.deliveries],\n    timers=[besides.deadline]"),
    ],
}


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[ModuleType]:
    """The manifest's module of `claims`, with the reaction and the deadline."""
    with claims_with(tmp_path, "tests/docs/test_add_a_service.py", _IMPORTS, 2, _SAID) as claims:
        yield claims


async def test_a_delivery_settles_what_is_open_about_its_shipment(
    claims: ModuleType, make_harness: MakeHarness
) -> None:
    harness = await make_harness(claims.service)
    shipment, other = await _left(harness), await _left(harness)
    for about in (shipment, shipment, other):
        await _opened(harness, about)
    await harness.deliver(
        ShipmentDelivered(shipment_id=shipment, order_id=uuid7(), delivered_at=datetime.now(UTC)), aggregate_id=shipment
    )
    assert sorted(await _outcomes(harness), key=str) == [None, "delivered", "delivered"]


async def test_a_deadline_fires_once_and_not_when_it_was_cleared(claims: ModuleType, make_harness: MakeHarness) -> None:
    harness = await make_harness(claims.service)
    shipment = await _left(harness)
    settled, _ = await _opened(harness, shipment), await _opened(harness, shipment)
    await harness.client.post(f"{AT}/{settled}/settle", json={"outcome": "replaced"})
    assert await harness.fire_timers() == 0
    await harness.make_timers_due()
    assert (await harness.fire_timers(), await harness.fire_timers()) == (1, 0)
    assert await _outcomes(harness) == ["replaced", "not answered"]


async def _left(harness: Harness) -> UUID:
    event = ShipmentDispatched(
        shipment_id=uuid7(),
        order_id=uuid7(),
        reservation_id=uuid7(),
        number="SO-1-1",
        currency="EUR",
        lines=[],
        dispatched_at=datetime.now(UTC),
    )
    await harness.deliver(event, aggregate_id=event.shipment_id)
    return event.shipment_id


async def _opened(harness: Harness, shipment: UUID) -> str:
    answer = await harness.client.post(AT, json={"shipment_id": str(shipment), "complaint": "It is cracked."})
    return str(answer.json()["id"])


async def _outcomes(harness: Harness) -> list[str | None]:
    return [claim["outcome"] for claim in (await harness.client.get(AT)).json()["items"]]
