"""The page "Add a service": the master data that it shows does in `claims` what the page says, on a migration that is written from it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from claims_page import claims_with

from contracts.shipments import ShipmentDispatched
from tailrace.codegen.migrations import next_migration
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.databases import Databases

AT = "/v1/claim-causes"
_IMPORTS = '''"""What the page shows besides."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from claims.models import Base, Claim, Dispatched
from claims.projections import shipments
from claims.routes import Reader, Writer
from tailrace.core.errors import Invalid, InUse
from tailrace.core.events import Event
from tailrace.core.fields import Code, Name
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData
from tailrace.http.filters import equal
from tailrace.http.master_data import master_data_routes
from tailrace.http.routing import Body, ResourceView, tenant_router

'''
_SAID = {
    "service.py": [
        ("from claims import projections", "from claims import besides, projections"),
        ("[routes.router]", "[routes.router, besides.causes]"),
        (
            "publishes=PUBLISHED",
            "publishes=(*PUBLISHED, besides.CauseCreated, besides.CauseUpdated, besides.CauseRestored, besides.CauseDeleted)",
        ),
    ],
}


@pytest.fixture
async def harness(tmp_path: Path, databases: Databases, make_harness: MakeHarness) -> AsyncIterator[Harness]:
    """Of claims with the master data, and with a migration for it."""
    with claims_with(tmp_path, "tests/docs/test_master_data.py", _IMPORTS, 3, _SAID) as claims:
        made = await next_migration(claims.service, databases.admin_url("postgres"), databases.settings, "Causes")
        assert made is not None
        path, text = made
        path.write_text(text)
        yield await make_harness(claims.service)


async def _left(harness: Harness) -> str:
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
    return str(event.shipment_id)


async def test_it_is_made_changed_deleted_restored_and_published(harness: Harness) -> None:
    made = await harness.client.post(AT, json={"code": "DENT", "name": "Dented"})
    here = f"{AT}/{made.json()['id']}"
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (201, '"1"', here)
    changed = await harness.client.put(here, json={"code": "DENT", "name": "Bent"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.headers["etag"]) == ("Bent", '"2"')
    assert (await harness.client.post(AT, json={"code": "dent", "name": "Another"})).status_code == 409
    assert (await harness.client.delete(here)).status_code == 204
    assert (await harness.client.get(AT)).json()["items"] == []
    assert (await harness.client.post(f"{here}/restore")).json()["version"] == 4
    assert [each["code"] for each in (await harness.client.get(AT, params={"name": "ben"})).json()["items"]] == ["DENT"]
    steps = ("created", "updated", "deleted", "restored")
    assert [each.type for each in await harness.published()] == [f"claim.cause.{step}" for step in steps]


async def test_what_must_hold_the_row_says(harness: Harness) -> None:
    shipment_id = await _left(harness)
    body = {"code": "WET", "name": "Wet", "shipment_id": str(uuid7())}
    unknown = await harness.client.post(AT, json=body)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "/shipment_id")
    made = (await harness.client.post(AT, json={**body, "shipment_id": shipment_id})).json()
    here = f"{AT}/{made['id']}"
    fixed = await harness.client.put(here, json={**body, "shipment_id": None})
    assert (fixed.status_code, fixed.json()["type"]) == (409, "urn:tailrace:problem:fixed")
    await harness.client.post("/v1/claims", json={"shipment_id": shipment_id, "complaint": "Wet"})
    used = await harness.client.delete(here)
    assert (used.status_code, used.json()["type"]) == (409, "urn:tailrace:problem:in-use")
