"""Items from files, through the commands that HTTP uses."""

from collections.abc import Collection, Mapping
from uuid import UUID

from catalog.bodies import ItemBody
from catalog.models import Item, TaxCode
from tailrace.db.database import Tx
from tailrace.db.master_data import ids_by_code
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable, Reference


async def _tax_codes(tx: Tx, codes: Collection[str]) -> Mapping[str, UUID]:
    return await ids_by_code(tx, TaxCode, codes)


items = Importable(
    service="catalog",
    name="items",
    body=ItemBody,
    kind=Item,
    columns=[
        column("sku", "SKU", "品番", "商品コード"),
        column("name", "Name", "品名", "商品名"),
        column("kind", "Kind", "種別"),
        column("unit", "Unit", "単位"),
        column("tax_rate", "Tax rate", "税率"),
        column("tax_code_id", "Tax code id"),
        column("valuation", "Valuation", "評価方法"),
        column("active", "Active", "有効"),
        column("negative_stock", "Negative stock", "マイナス在庫"),
        column("conversions.0.unit", "Further unit", "換算単位"),
        column("conversions.0.factor", "Factor", "換算率"),
        column("conversions"),
        column("tracking", "Tracking", "追跡"),
        column("expires", "Expires", "期限管理"),
        column("shelf_life_days", "Shelf life in days", "賞味期間"),
        column("custom_fields", "Custom fields", "独自項目"),
    ],
    references=[Reference(column("tax_code", "Tax code", "税コード"), "tax_code_id", _tax_codes)],
    flush_later=True,
)
