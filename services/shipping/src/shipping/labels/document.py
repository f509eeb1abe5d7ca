"""What the label of a parcel says: from whom, to whom, what is in it, and the same in bars that every warehouse on the way can read (GS1-128)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from importlib.resources import files
from typing import Any

from shipping.labels.code128 import bars
from shipping.labels.gs1 import Element, contents, readable
from shipping.labels.models import Labelling, Language
from shipping.labels.refusals import NotNumbered
from shipping.lines import ShipmentLine
from shipping.models import Shipment
from shipping.packages import Package
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.postal import address_lines
from tailrace.documents import typeset
from tailrace.http.files.paper import Paper

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "from": "From",
        "to": "To",
        "contents": "Contents",
        "order": "Order",
        "reference": "Your order",
        "shipment": "Shipment",
        "parcel": "Parcel",
        "weight": "Weight",
        "size": "Size",
        "tracking": "Tracking number",
        "lot": "Lot",
        "expires": "Best before",
    },
    "ja": {
        "from": "差出人",
        "to": "お届け先",
        "contents": "内容品",
        "order": "受注番号",
        "reference": "貴社注文番号",
        "shipment": "出荷番号",
        "parcel": "個口",
        "weight": "重量",
        "size": "寸法",
        "tracking": "お問い合わせ番号",
        "lot": "ロット",
        "expires": "期限",
    },
}
_ADDRESSED: Mapping[Language, str] = {"en": "{0}", "ja": "{0} 様"}
_A6, _A5, _A4 = (105, 148), (148, 210), (210, 297)
"""Millimetres. The small one has room for the number alone, the middle one for what is in the parcel too, the large one for the longest lots."""
_MODULES_OF_A5 = 260
"""What fits between the margins and quiet zones of the middle one."""
_LINES = 6


def labels(shipment: Shipment, labelling: Labelling | None, carrier: str, language: Language | None, on: date) -> Paper:
    """Labels of all its parcels, one a page. Raises NotNumbered; making them, CannotBeTypeset, and Unavailable when too many documents are made."""
    said = labels_data(shipment, labelling, carrier, language, on)
    template = files("shipping.labels").joinpath("label.typ").read_bytes()
    return Paper.later(shipment.number, partial(typeset, template, said))


def labels_data(
    shipment: Shipment, labelling: Labelling | None, carrier: str, language: Language | None, on: date
) -> dict[str, Any]:
    """What the template places. Raises NotNumbered."""
    if labelling is None:
        raise NotNumbered("Say first which GS1 company prefix is yours: PUT /v1/shipments/labelling.")
    if not shipment.packages:
        raise NotNumbered(f"Shipment {shipment.number} has no parcels yet.")
    spoken: Language = language or labelling.language
    words = _WORDS[spoken]
    count = len(shipment.packages)
    return {
        "title": shipment.number,
        "author": labelling.sender.partition("\n")[0],
        "date": on.isoformat(),
        "language": spoken,
        "words": {name: words[name] for name in ("from", "to", "contents")},
        "labels": [
            {
                "sender": labelling.sender,
                "receiver": _receiver(shipment, spoken),
                "carrier": carrier,
                "service": shipment.booking.service if shipment.booking else "",
                **_parcel(shipment, package, f"{number} / {count}", words),
            }
            for number, package in enumerate(shipment.packages, 1)
        ],
    }


def _receiver(shipment: Shipment, language: Language) -> str:
    return "\n".join((_ADDRESSED[language].format(shipment.customer_name), *address_lines(shipment.ship_to)))


def _parcel(shipment: Shipment, package: Package, number: str, words: Mapping[str, str]) -> dict[str, Any]:
    if package.sscc is None:
        raise NotNumbered(
            f"Parcel {package.id} was packed before there was a GS1 company prefix: unpack and pack it again."
        )
    lines = {str(line.line_id): line for line in shipment.lines}
    codes = _codes(package)
    widest = max((sum(code["bars"]) for code in codes), default=0)
    width, height = _A6 if not codes else _A5 if widest <= _MODULES_OF_A5 else _A4
    tracking = shipment.tracking_number or (shipment.booking.tracking_number if shipment.booking else None)
    size = (package.length_mm, package.width_mm, package.height_mm)
    details = {
        "shipment": shipment.number,
        "order": shipment.order_number,
        "reference": shipment.customer_reference,
        "parcel": number,
        "weight": f"{plain_decimal(Decimal(package.weight_grams) / 1000)} kg" if package.weight_grams else None,
        "size": " × ".join(f"{side}" for side in size) + " mm" if package.length_mm else None,
        "tracking": tracking,
    }
    return {
        "width": width,
        "height": height,
        "details": [(words[name], value) for name, value in details.items() if value],
        "contents": "\n".join(_contents(package, lines, words)),
        "codes": codes,
        "sscc": _code([Element("00", package.sscc)]),
    }


def _contents(package: Package, lines: Mapping[str, ShipmentLine], words: Mapping[str, str]) -> Sequence[str]:
    """Line by line; of many, the first, and how many more there are."""
    said = []
    for packed in package.lines:
        line = lines[packed["line_id"]]
        lot = f", {words['lot']} {packed['lot']}" if packed.get("lot") else ""
        until = f", {words['expires']} {packed['expires_on']}" if packed.get("expires_on") else ""
        said.append(
            f"{plain_decimal(Decimal(packed['quantity']))} {line.unit or '×'} {line.sku} {line.name}{lot}{until}"
        )
    return said if len(said) <= _LINES else [*said[: _LINES - 1], f"+ {len(said) - _LINES + 1}"]


def _codes(package: Package) -> list[dict[str, Any]]:
    """What is in a parcel of one kind of goods, a bar code for each line of the label: what and how many, then which lot and how long it is good."""
    if len(package.lines) != 1:
        return []
    (packed,) = package.lines
    quantity = Decimal(packed["quantity"])
    until = packed.get("expires_on")
    elements = contents(
        packed.get("gtin"),
        int(quantity) if quantity == int(quantity) else None,
        packed.get("lot"),
        date.fromisoformat(until) if until else None,
    )
    groups = [[each for each in elements if (each.ai in {"02", "37"}) is of_goods] for of_goods in (True, False)]
    return [_code(group) for group in groups if group]


def _code(elements: Sequence[Element]) -> dict[str, Any]:
    return {"bars": bars(elements), "text": readable(elements)}
