"""Opening stock from files, as receipts, through the command that HTTP uses."""

from collections.abc import Collection, Mapping
from uuid import UUID

from inventory import commands
from inventory.bodies import NewReceipt
from inventory.models import Movement
from inventory.projections import ItemCopy, WarehouseCopy, days
from tailrace.core.values.text import folded
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable, Reference


async def _create(tx: Tx, body: NewReceipt) -> Movement:
    return await commands.receive(tx, body, None)


async def _items(tx: Tx, skus: Collection[str]) -> Mapping[str, UUID]:
    return {code: copy.id for code, copy in (await by_code(tx, ItemCopy, skus)).items()}


async def _warehouses(tx: Tx, codes: Collection[str]) -> Mapping[str, UUID]:
    return {code: copy.id for code, copy in (await by_code(tx, WarehouseCopy, codes)).items()}


def _known_by(body: NewReceipt) -> str:
    """Stock of an item in a warehouse is opened once for each reference and its lots: a file that was mended is not counted twice."""
    lots = "".join(f"\n{folded(lot.number)}" for lot in body.lots or ())
    return f"{body.item_id}\n{body.warehouse_id}\n{body.reference or ''}{lots}"


stock = Importable(
    service="inventory",
    name="stock",
    body=NewReceipt,
    columns=[
        column("item_id", "Item id"),
        column("warehouse_id", "Warehouse id"),
        column("quantity", "Quantity", "数量"),
        column("unit", "Unit", "単位"),
        column("value", "Value", "金額"),
        column("unit_cost", "Unit cost", "単価", "原価"),
        column("currency", "Currency", "通貨"),
        column("reference", "Reference", "参照番号", "ロット"),
        column("effective_at", "Effective at", "発生日時"),
        column("lots.0.number", "Lot number", "ロット番号"),
        column("lots.0.quantity", "Lot quantity", "ロット数量"),
        column("lots.0.expires_on", "Expires on", "有効期限"),
        column("lots"),
    ],
    references=[
        Reference(column("sku", "SKU", "品番", "商品コード"), "item_id", _items),
        Reference(column("warehouse", "Warehouse", "倉庫"), "warehouse_id", _warehouses),
    ],
    given={"reason": "opening"},
    create=_create,
    days=days,
    key=_known_by,
)
