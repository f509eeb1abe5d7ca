"""The page "Add a service": the parts and the copy that it shows do in `claims` what the page says, on a migration that is written from them."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from claims_page import claims_with

from contracts.catalog import WarehouseCreated, WarehouseDeleted
from contracts.shipments import ShipmentDispatched
from tailrace.codegen.migrations import next_migration
from tailrace.core.errors import Invalid, NotYetKnown
from tailrace.core.ids import uuid7
from tailrace.messaging.replica import by_ids
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.databases import Databases

AT = "/v1/claims"
_IMPORTS = '''"""What the page shows besides."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Mapped, relationship

from claims.models import Base, Claim
from claims.routes import Reader, Writer, router
from contracts.catalog import WAREHOUSE
from contracts.claims import ClaimEvent
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.core.values.fields import Sentence, Text
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Part
from tailrace.http.lists.parts import part_routes
from tailrace.http.routing import Body, View
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Replica, Source, replica

'''
_SAID = {
    "service.py": [
        ("from claims import projections", "from claims import besides, projections"),
        ("[projections.shipments]", "[projections.shipments, besides.warehouses, besides.days]"),
        (
            "publishes=PUBLISHED",
            "publishes=(*PUBLISHED, besides.ClaimFindingAdded, besides.ClaimFindingChanged, besides.ClaimFindingRemoved, besides.ClaimPhotoAdded)",
        ),
    ],
}


@pytest.fixture
async def claims(tmp_path: Path, databases: Databases) -> AsyncIterator[ModuleType]:
    """The manifest's module, with the parts and the copy, and with a migration for them."""
    with claims_with(tmp_path, "tests/docs/test_parts_and_copies.py", _IMPORTS, 6, _SAID) as claims:
        made = await next_migration(claims.service, databases.admin_url("postgres"), databases.settings, "Findings")
        assert made is not None
        path, text = made
        path.write_text(text)
        yield claims


@pytest.fixture
async def harness(claims: ModuleType, make_harness: MakeHarness) -> Harness:
    return await make_harness(claims.service)


async def _opened(harness: Harness) -> str:
    """Where a new claim is."""
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
    answer = await harness.client.post(AT, json={"shipment_id": str(event.shipment_id), "complaint": "It is cracked."})
    return f"{AT}/{answer.json()['id']}"


async def test_parts_and_their_parts_are_written_under_the_claims_version(harness: Harness) -> None:
    claim = await _opened(harness)
    made = await harness.client.post(f"{claim}/findings", json={"text": "A dent"}, headers={"If-Match": '"1"'})
    finding = f"{claim}/findings/{made.json()['id']}"
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (201, '"2"', finding)
    photo = await harness.client.post(f"{finding}/photos", json={"url": "a.png"}, headers={"If-Match": '"2"'})
    assert (photo.status_code, photo.headers["etag"]) == (201, '"3"')
    assert (await harness.client.delete(photo.headers["location"])).status_code == 405
    late = await harness.client.post(f"{finding}/photos", json={"url": "b.png"}, headers={"If-Match": '"2"'})
    assert late.status_code == 412
    for said in ("A dent", "A hole"):
        changed = await harness.client.put(finding, json={"text": said})
        assert (changed.status_code, changed.json()["text"]) == (200, said)
    assert len(await harness.published("claim.finding_changed")) == 1
    assert [one["text"] for one in (await harness.client.get(f"{claim}/findings")).json()["items"]] == ["A hole"]
    told = (await harness.published("claim.photo_added"))[0]
    assert told.event.model_dump(mode="json", include={"finding_id", "photo_id", "url"}) == {
        "finding_id": made.json()["id"],
        "photo_id": photo.json()["id"],
        "url": "a.png",
    }
    assert (await harness.client.delete(finding)).status_code == 204
    assert (await harness.client.get(finding)).status_code == 404
    assert await harness.admin.fetchval("SELECT count(*) FROM photo") == 0


async def test_a_finding_is_none_of_another_claim(harness: Harness) -> None:
    one, other = await _opened(harness), await _opened(harness)
    finding = (await harness.client.post(f"{one}/findings", json={"text": "A dent"})).json()["id"]
    answers = [
        await harness.client.get(f"{other}/findings/{finding}"),
        await harness.client.delete(f"{other}/findings/{finding}"),
        await harness.client.post(f"{other}/findings/{finding}/photos", json={"url": "a.png"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_written_out_it_does_the_same(harness: Harness, claims: ModuleType) -> None:
    claim = await _opened(harness)
    finding = (await harness.client.post(f"{claim}/findings", json={"text": "A dent"})).json()["id"]
    async with harness.tx() as tx:
        await claims.besides.add_photo(tx, UUID(claim.rpartition("/")[2]), 2, UUID(finding), "a.png")
    shown = (await harness.client.get(f"{claim}/findings/{finding}/photos")).json()["items"]
    told = (await harness.published("claim.photo_added"))[0]
    assert (shown[0]["url"], told.sequence) == ("a.png", 3)


async def test_settling_a_claim_loads_none_of_its_findings(harness: Harness, claims: ModuleType) -> None:
    claim = await _opened(harness)
    for number in range(3):
        await harness.client.post(f"{claim}/findings", json={"text": str(number)})
    async with harness.tx() as tx:
        row = await tx.load(claims.besides.Claim, UUID(claim.rpartition("/")[2]))
        row.settle("replaced")
        await tx.flush()
        assert {type(each).__name__ for each in tx.identity_map.values()} == {"Claim"}


async def test_a_copy_tells_what_is_there_from_what_is_not(harness: Harness, claims: ModuleType) -> None:
    copy = claims.besides.WarehouseCopy
    north = WarehouseCreated(warehouse_id=uuid7(), code="N", name="North")
    await harness.deliver(north, aggregate_id=north.warehouse_id)
    async with harness.tx() as tx:
        known = await by_ids(tx, copy, [north.warehouse_id])
    assert known.in_use(north.warehouse_id, "/warehouse_id").code == "N"
    with pytest.raises(NotYetKnown):
        known.in_use(uuid7(), "/warehouse_id")
    await harness.deliver(WarehouseDeleted(warehouse_id=north.warehouse_id, code="N"), aggregate_id=north.warehouse_id)
    async with harness.tx() as tx:
        known = await by_ids(tx, copy, [north.warehouse_id])
    with pytest.raises(Invalid):
        known.in_use(north.warehouse_id, "/warehouse_id")


async def test_a_day_is_the_companys(claims: ModuleType, harness: Harness) -> None:
    await harness.count_days_in("Asia/Tokyo")
    async with harness.tx() as tx:
        over = await claims.besides.days.end_of(tx, date(2030, 1, 31))
        assert over + timedelta(microseconds=1) == datetime(2030, 1, 31, 15, tzinfo=UTC)
