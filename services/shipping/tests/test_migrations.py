"""What is here already is known as what comes from now on is."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shipping.service import service
from tailrace.core.ids import uuid7
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace_testing.databases import Databases

_LEFT = (
    "INSERT INTO shipment_line (tenant_id, id, shipment_id, line_id, item_id, sku, name, warehouse_id, decimals, quantity, picked,"
    " line_quantity, line_net, line_tax, lots) VALUES ($1, $2, $3, $4, $2, 'A', 'A', $2, 1, 9, 9, 9, 9, 0, $5)"
)
_CAME = (
    "INSERT INTO return_shipment (tenant_id, id, return_id, number, order_id, order_number, customer_name, reason, status, unexpected,"
    " inspected_at, version) VALUES ($1, $2, $2, 'RT', $2, 'SO', 'Ada', 'Broken', 'received', '[]', now() + $3 * interval '1 hour', 1)"
)
_KEPT = (
    "INSERT INTO return_shipment_line (tenant_id, id, return_shipment_id, position, shipment_id, line_id, item_id, sku, name, warehouse_id,"
    " decimals, expected, received, restocked, scrapped, sent_back) VALUES ($1, $2, $3, 1, $4, $5, $2, 'A', 'A', $2, 1, 9, 9, $6, $7, $8)"
)


async def test_what_was_kept_before_lots_were_named_is_the_first_of_what_left(
    databases: Databases, tmp_path: Path
) -> None:
    name, folder = f"shipping_{uuid7().hex}", tmp_path / service.name
    folder.mkdir()
    for each in migrations_of(service).glob("0*.py"):
        if each.name < "0011":
            shutil.copy(each, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILRACE_MIGRATIONS", str(tmp_path))
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    # Rows are made without those above them.
    await admin.execute("SET session_replication_role = replica")
    tenant, shipment, tracked, plain = uuid7(), uuid7(), uuid7(), uuid7()
    lots = [{"lot_id": str(uuid7()), "number": number, "quantity": much} for number, much in (("A", "2"), ("B", "7"))]
    await admin.execute(_LEFT, tenant, uuid7(), shipment, tracked, json.dumps(lots))
    await admin.execute(_LEFT, tenant, uuid7(), shipment, plain, "[]")

    async def came(hours: int, line: UUID, *quantities: float, of: UUID = tenant) -> UUID:
        id, at = uuid7(), uuid7()
        await admin.execute(_CAME, of, at, hours)
        await admin.execute(_KEPT, of, id, at, shipment, line, *quantities)
        return id

    late = await came(2, tracked, 1, 0, 1)
    early = await came(1, tracked, 1, 0.5, 0)
    none = [await came(3, tracked, 0, 0, 2), await came(1, plain, 1, 0, 0), await came(0, tracked, 1, 0, 0, of=uuid7())]
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    rows = await admin.fetch("SELECT id, lots FROM return_shipment_line")
    forced = (
        "SELECT count(*) FROM pg_class WHERE relname LIKE '%shipment%' AND relkind = 'r' AND NOT relforcerowsecurity"
    )
    unforced = await admin.fetchval(forced)
    await admin.close()
    await databases.drop(name)
    found: dict[UUID, list[dict[str, Any]]] = {row["id"]: json.loads(row["lots"]) for row in rows}
    assert found.pop(early) == [{**lots[0], "quantity": "1.5"}]
    assert found.pop(late) == [{**lots[0], "quantity": "0.5"}, {**lots[1], "quantity": "0.5"}]
    assert found == {id: [] for id in none}
    assert unforced == 0
