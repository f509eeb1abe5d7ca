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

from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from claims.models import Base, Claim, Dispatched
from claims.projections import shipments
from claims.routes import Reader, Writer, read, write
from tailrace.core.errors import Invalid, InUse
from tailrace.core.events import Event
from tailrace.core.values.fields import Code, Name, Search
from tailrace.db.master_data import MasterData, rows
from tailrace.db.text_search.search import Searchable
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed
from tailrace.http.routing import Body, ResourceView, Tx, tenant_router
from tailrace.http.lists.searching import paginate_found
from tailrace.jobs.routes import jobs_router
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.importable import Importable
from tailrace.transfer.routes import LARGEST, imports_router

'''
_SAID = {
    "service.py": [
        ("from claims import projections", "from claims import besides, projections"),
        (
            "routers=[routes.router]",
            "imports=[besides.files_of_causes], routers=[routes.router, *besides.of_many, besides.causes]",
        ),
        (
            'exposes=[Exposed(prefix="/v1/claims")]',
            """exposes=[
        Exposed(prefix="/v1/claims"),
        Exposed(prefix="/v1/claim-causes"),
        Exposed(prefix="/v1/claim-causes/import", body_limit=besides.LARGEST, write_timeout=60),
        Exposed(prefix="/v1/claim-causes/bulk", body_limit=besides.LARGEST_BULK, write_timeout=60),
    ]""",
        ),
        (
            "publishes=PUBLISHED",
            "publishes=(*PUBLISHED, besides.CauseCreated, besides.CauseUpdated, besides.CauseRestored, besides.CauseDeleted)",
        ),
    ],
}


@pytest.fixture
async def harness(tmp_path: Path, databases: Databases, make_harness: MakeHarness) -> AsyncIterator[Harness]:
    """Of claims with the master data, and with a migration for it."""
    with claims_with(tmp_path, "tests/docs/test_master_data.py", _IMPORTS, 4, _SAID) as claims:
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


async def test_they_are_found_by_words_and_made_of_rows(harness: Harness) -> None:
    job = await harness.import_rows(f"{AT}/import", "code,name\nDENT,Badly dented\n,Nameless\n")
    assert job["counts"] == {"created": 1, "refused": 1}
    again = await harness.import_rows(f"{AT}/import", "code,name,id\nDENT,Badly dented,\n")
    assert again["counts"] == {"unchanged": 1}
    items = [{"code": "WET", "name": "Wet"}, {"code": "DENT", "name": "Dented"}]
    many = await harness.client.post(f"{AT}/bulk", json={"items": items, "replace": True})
    assert [one["became"] for one in many.json()["items"]] == ["created", "replaced"]
    for words, codes in (("dent", ["DENT"]), ("badly", []), ("we", ["WET"]), (None, ["DENT", "WET"])):
        asked = {"sort": "name"} if words is None else {"q": words, "sort": "name"}
        found = await harness.client.get(f"{AT}/search", params=asked)
        assert [each["code"] for each in found.json()["items"]] == codes, words
