"""Tariffs from files: a row for each rate, those of a tariff one after another. One that is there gets the rates of the file, and no others."""

from collections.abc import Collection, Mapping
from uuid import UUID

from shipping.carriers import Carrier
from shipping.rates.bodies import TariffBody
from shipping.rates.models import Tariff
from tailrace.db.database import Tx
from tailrace.db.master_data import ids_by_code
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable, Reference


async def _carriers(tx: Tx, codes: Collection[str]) -> Mapping[str, UUID]:
    return await ids_by_code(tx, Carrier, codes)


tariffs = Importable(
    service="shipping",
    name="tariffs",
    body=TariffBody,
    kind=Tariff,
    columns=[
        column("code", "Code", "コード"),
        column("name", "Name", "名称"),
        column("carrier_id", "Carrier id"),
        column("service", "Service", "サービス"),
        column("currency", "Currency", "通貨"),
        column("valid_from", "Valid from", "適用開始日"),
        column("valid_until", "Valid until", "適用終了日"),
        column("days", "Days", "所要日数"),
        column("divisor", "Divisor", "容積換算係数"),
        column("fuel_rate", "Fuel rate", "燃料割増率"),
        column("active", "Active", "有効"),
        column("surcharges", "Surcharges", "割増料金"),
        column("rates.country", "Country", "国"),
        column("rates.postal_prefix", "Postal prefix", "郵便番号の始まり"),
        column("rates.up_to_grams", "Up to grams", "重量上限"),
        column("rates.price", "Price", "料金"),
    ],
    references=[Reference(column("carrier", "Carrier", "運送会社"), "carrier_id", _carriers)],
    lines="rates",
    document=("code",),
)
