"""What stands beside the movements in the lake: items and warehouses, as catalog said last."""

import os
import re
import time
from pathlib import Path
from uuid import UUID

from goods_told import Goods
from lake_reader import export, outside
from selling_desk import Desk, sell

from contracts import catalog
from tailrace.core.ids import uuid7

BY_ITEM_AND_PLACE = """
import json, sys
import duckdb
from deltalake import DeltaTable
files = {name: DeltaTable(f"{sys.argv[1]}/{name}").file_uris() for name in ("movements", "items", "warehouses")}
rows = duckdb.execute('''
    SELECT i.sku, i.name, i.kind, i.unit, i.active, w.code, w.name, w.country, w.active, sum(f.amount), sum(f.quantity)
    FROM read_parquet($movements) f JOIN read_parquet($items) i ON i.id = f.item_id
    JOIN read_parquet($warehouses) w ON w.id = f.warehouse_id
    WHERE f.measure = 'goods_received' GROUP BY ALL ORDER BY ALL''', files).fetchall()
print(json.dumps(rows))
"""


async def test_a_reader_outside_finds_what_items_and_warehouses_are_called(desk: Desk) -> None:
    lake, folder = desk.h.app.state.lake, str(Path(desk.h.app.state.lake.address(desk.h.tenant)).parent)
    goods, bolt, nut, main = Goods(desk), uuid7(), uuid7(), uuid7()

    async def call(id: UUID, sku: str, name: str) -> None:
        told = catalog.ItemUpdated(item_id=id, sku=sku, name=name, unit="pcs")
        await desk.h.deliver(told, aggregate_id=id)

    await call(bolt, "B-8", "Bolt")
    await call(nut, "N-8", "Nut")
    here = catalog.WarehouseCreated(warehouse_id=main, code="MAIN", name="Osaka")
    await desk.h.deliver(here, aggregate_id=main)
    await goods.receive(bolt, main, 500)
    await export(desk)
    place = ["MAIN", "Osaka", None, True]
    assert outside(desk, BY_ITEM_AND_PLACE, folder=folder) == [
        ["B-8", "Bolt", "stock", "pcs", True, *place, 500, 2_500_000]
    ]
    versions = [lake.open(desk.h.tenant, name).version() for name in ("items", "warehouses")]

    # With the next movements; and only the table of which something is different.
    await call(bolt, "B-8", "Bolt, zinc plated")
    await desk.h.deliver(catalog.ItemDeleted(item_id=nut, sku="N-8"), aggregate_id=nut)
    await goods.receive(nut, main, 70)
    await export(desk)
    assert outside(desk, BY_ITEM_AND_PLACE, folder=folder) == [
        ["B-8", "Bolt, zinc plated", "stock", "pcs", True, *place, 500, 2_500_000],
        ["N-8", "Nut", "stock", "pcs", False, *place, 70, 2_500_000],
    ]
    assert lake.open(desk.h.tenant, "warehouses").version() == versions[1]
    changed = lake.open(desk.h.tenant, "items").version()
    assert changed > versions[0]
    await goods.receive(nut, main, 1)
    await export(desk)
    assert lake.open(desk.h.tenant, "items").version() == changed


async def test_files_of_a_small_table_that_nobody_reads_any_more_are_deleted(desk: Desk) -> None:
    lake, id = desk.h.app.state.lake, uuid7()
    folder = Path(lake.address(desk.h.tenant, "items"))

    async def tell(name: str) -> set[str]:
        told = catalog.ItemUpdated(item_id=id, sku="B-8", name=name, unit="pcs")
        await desk.h.deliver(told, aggregate_id=id)
        await sell(desk, len(name), 1, None)
        await export(desk)
        return {each for each in os.listdir(folder) if each.endswith(".parquet")}

    (first,) = await tell("Bolt")
    second = await tell("Bolts")
    assert first in second
    # Vacuuming goes by when a newer state took the file's place: longer ago than readers keep what they opened.
    long_ago = time.time() - 25 * 3600
    for each in (folder / "_delta_log").iterdir():
        text = re.sub(r'"deletionTimestamp":\d+', f'"deletionTimestamp":{int(long_ago * 1000)}', each.read_text())
        each.write_text(text)
    third = await tell("Bolts and nuts")
    assert first not in third
    assert len(third) == 2
