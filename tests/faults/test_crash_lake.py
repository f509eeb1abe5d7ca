"""Analytics dies at each step of writing its lake: a reader outside finds every row once, and no row that there is not."""

from typing import Any

import duckdb
import pytest
from asking import free_port, listens
from deltalake import DeltaTable
from nursery import Nursery
from points import Point

from analytics.lake import exporter
from analytics.service import service
from contracts.customers import CustomerCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

DEATHS = {
    "before it has a number": Point("analytics.lake.exporter:_number"),
    "numbered, not written": Point("analytics.lake.tables:Lake.append"),
    "amid the rows": Point("analytics.lake.columns:Columns.batch"),
    "written, not noted": Point("analytics.lake.tables:Lake.append", "after"),
    "noted, its lock still held": Point("analytics.lake.exporter:_done", "after"),
}


async def _add(h: Harness, number: int) -> None:
    said: dict[str, Any] = {"name": "Ada Works", "kind": "company", "status": "active", "currency": "EUR"}
    event = CustomerCreated(customer_id=uuid7(), number=f"C-{number}", payment_terms_days=30, **said)
    await h.deliver(event, aggregate_id=event.customer_id)


def _outside(h: Harness) -> list[str]:
    """The ids of all rows that the table of the tenant holds."""
    table = DeltaTable(h.app.state.lake.address(h.tenant))
    found = duckdb.execute('SELECT "id" FROM read_parquet($files) ORDER BY 1', {"files": table.file_uris()})
    return [id for (id,) in found.fetchall()]


async def _waiting(h: Harness) -> int:
    return int(await h.admin.fetchval("SELECT count(*) FROM queued_movement"))


@pytest.mark.parametrize(("where", "begun"), [*((where, True) for where in DEATHS), ("written, not noted", False)])
async def test_the_lake_holds_every_row_once(
    where: str, begun: bool, make_harness: MakeHarness, nursery: Nursery, keys_url: str
) -> None:
    h = await make_harness(service)
    await _add(h, 1)
    if begun:
        await exporter.export_all(h.database, h.app.state.lake)
        await _add(h, 2)
    settings: dict[str, Any] = {"database_url": h.settings.database_url, "jwks_url": keys_url, "log_level": "CRITICAL"}
    settings["storage"] = h.settings.storage
    for points in ([DEATHS[where]], []):
        port = free_port()
        life = nursery.start("serve", points, service="analytics", settings=settings, port=port)
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
    assert _outside(h) == [row["id"] for row in rows]
    assert rows
