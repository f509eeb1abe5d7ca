"""Orders from files, through the command that HTTP uses: a row for each line, those of one order one after another."""

from collections.abc import Collection, Mapping
from uuid import UUID

from orders import commands
from orders.bodies import NewOrder
from orders.projections import CustomerCopy, ItemCopy, PriceListCopy, WarehouseCopy, days
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable, Reference


async def _customers(tx: Tx, numbers: Collection[str]) -> Mapping[str, UUID]:
    return {number: copy.id for number, copy in (await by_code(tx, CustomerCopy, numbers)).items()}


async def _items(tx: Tx, skus: Collection[str]) -> Mapping[str, UUID]:
    return {code: copy.id for code, copy in (await by_code(tx, ItemCopy, skus)).items()}


async def _warehouses(tx: Tx, codes: Collection[str]) -> Mapping[str, UUID]:
    return {code: copy.id for code, copy in (await by_code(tx, WarehouseCopy, codes)).items()}


async def _price_lists(tx: Tx, codes: Collection[str]) -> Mapping[str, UUID]:
    return {code: copy.id for code, copy in (await by_code(tx, PriceListCopy, codes)).items()}


orders = Importable(
    service="orders",
    name="orders",
    body=NewOrder,
    columns=[
        column("customer_reference", "Customer reference", "顧客注文番号"),
        column("customer_id", "Customer id"),
        column("customer_name", "Customer", "Customer name", "顧客名"),
        column("currency", "Currency", "通貨"),
        column("ordered_at", "Ordered at", "注文日時"),
        column("requested_date", "Requested date", "希望納期"),
        column("partial_allowed", "Partial allowed", "分納可"),
        column("when_short", "When short", "欠品時"),
        column("priority", "Priority", "優先度"),
        column("confirm", "Confirm", "確定"),
        column("payment_terms_days", "Payment terms", "支払条件日数"),
        column("custom_fields", "Custom fields", "独自項目"),
        column("ship_to.lines.0", "Street", "番地", "住所"),
        column("ship_to.city", "City", "市区町村"),
        column("ship_to.postal_code", "Postal code", "郵便番号"),
        column("ship_to.country", "Country", "国"),
        column("lines.item_id", "Item id"),
        column("lines.warehouse_id", "Warehouse id"),
        column("lines.quantity", "Quantity", "数量"),
        column("lines.unit", "Unit", "単位"),
        column("lines.unit_price", "Unit price", "単価"),
        column("lines.net", "Net", "正味金額"),
        column("lines.price_list_id", "Price list id"),
        column("lines.lot", "Lot", "ロット"),
        column("lines.remaining_days", "Remaining days", "残存日数"),
    ],
    references=[
        Reference(column("customer_number", "Customer number", "顧客番号"), "customer_id", _customers),
        Reference(column("lines.sku", "SKU", "品番", "商品コード"), "lines.item_id", _items),
        Reference(column("lines.warehouse", "Warehouse", "倉庫"), "lines.warehouse_id", _warehouses),
        Reference(column("lines.price_list", "Price list", "価格表"), "lines.price_list_id", _price_lists),
    ],
    create=commands.create,
    days=days,
    key=lambda body: f"{body.customer_id or body.customer_name}\n{body.customer_reference}",
    lines="lines",
    document=("customer_reference", "customer_number", "customer_id", "customer_name"),
)
