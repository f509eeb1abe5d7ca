"""Analytics dies at each step of writing its lake: a reader outside finds every row once, and no row that there is not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asking import free_port, listens
from buckets import KEY, SECRET, admin, best, named, serving
from deltalake import DeltaTable, QueryBuilder
from failpoints import Failpoint
from forkserver import ForkServer

from analytics.lake import exporter
from analytics.lake.tables import Lake
from analytics.service import service
from contracts.customers import CustomerCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

DEATHS = {
    "before it has a number": Failpoint("analytics.lake.exporter:_number"),
    "numbered, not written": Failpoint("analytics.lake.tables:Lake.append"),
    "amid the rows": Failpoint("analytics.lake.columns:Columns.batch"),
    "written, not noted": Failpoint("analytics.lake.tables:Lake.append", "after"),
    "noted, its lock still held": Failpoint("analytics.lake.exporter:_done", "after"),
}


async def _add(h: Harness, number: int) -> None:
    said: dict[str, Any] = {"name": "Ada Works", "kind": "company", "status": "active", "currency": "EUR"}
    event = CustomerCreated(customer_id=uuid7(), number=f"C-{number}", payment_terms_days=30, **said)
    await h.deliver(event, aggregate_id=event.customer_id)


@pytest.fixture
async def places(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """The settings of where the lake is: none for the folder that a harness has anyway, and those of a bucket."""
    if request.param == "folder":
        yield {}
        return
    async with serving(best(), tmp_path / "server") as address:
        admin(address).create_bucket(Bucket="papers")
        yield named(address, "papers/prod")


def _outside(lake: Lake, h: Harness, storage: dict[str, Any]) -> list[str]:
    """The ids of all rows that the table of the tenant holds, for a reader that knows no more than where it is."""
    options = None
    if storage:
        options = {"aws_endpoint": storage["storage_endpoint"], "aws_allow_http": "true", "aws_region": "us-east-1"}
        options |= {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    rows: Any = QueryBuilder().register("rows", DeltaTable(lake.address(h.tenant), storage_options=options))
    found: list[str] = rows.execute('SELECT "id" FROM rows ORDER BY 1').read_all()["id"].to_pylist()
    return found


async def _waiting(h: Harness) -> int:
    return int(await h.admin.fetchval("SELECT count(*) FROM queued_movement"))


@pytest.mark.parametrize(
    ("where", "begun", "places"),
    [
        *((where, True, "folder") for where in DEATHS),
        ("written, not noted", False, "folder"),
        ("amid the rows", True, "bucket"),
        ("written, not noted", True, "bucket"),
    ],
    indirect=["places"],
)
async def test_the_lake_holds_every_row_once(
    where: str, begun: bool, places: dict[str, Any], make_harness: MakeHarness, forkserver: ForkServer, keys_url: str
) -> None:
    h = await make_harness(service)
    lake = Lake(h.settings.model_copy(update=places))
    await _add(h, 1)
    if begun:
        await exporter.export_all(h.database, lake)
        await _add(h, 2)
    settings: dict[str, Any] = {"database_url": h.settings.database_url, "jwks_url": keys_url, "log_level": "CRITICAL"}
    settings |= {"storage": h.settings.storage, **places}
    if places:
        settings["storage_secret"] = SECRET
    for points in ([DEATHS[where]], []):
        port = free_port()
        life = forkserver.start("serve", points, service="analytics", settings=settings, port=port)
        try:
            if points:
                await life.struck()
                await _add(h, 3)
            else:
                await listens(port)
                await eventually(lambda: _waiting(h), lambda rows: rows == 0, what="everything written")
        finally:
            await life.kill()
    rows = await h.admin.fetch("SELECT id::text FROM movement ORDER BY 1")
    assert _outside(lake, h, places) == [row["id"] for row in rows]
    assert rows
