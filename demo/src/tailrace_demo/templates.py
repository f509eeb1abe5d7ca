"""What each manufacturer's template says, below its industry's and a standard one: fields, numbers, paper, approval, shipping, links of screens.

The company chooses it before anything else is made, so that its items have the fields, and its quotes and orders the numbers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tailrace_demo.client import User
from tailrace_demo.companies import Firm

_HEARD_BY = ("customers", "quotes", "orders", "shipments", "inventory/stock")
"""Whose services keep a copy of what is chosen; the catalog's own counts at once."""


@dataclass(frozen=True)
class Maker:
    """A manufacturer's template: of which industry it is, and what it says besides. `made` are the fields of its goods, by SKU."""

    industry: str
    code: str
    settings: Mapping[str, Any]
    made: Mapping[str, Mapping[str, str]]
    customer: Mapping[str, Any]
    """The fields of a customer that has any."""

    def numbers(self, document: str) -> str:
        """What a number of this kind of document looks like, as a regular expression: a year for the series, and digits."""
        said = re.escape(self.settings["numbering"][document])
        return re.sub(r"\\\{number:0(\d)\\\}", r"\\d{\1,}", said.replace(r"\{series\}", r"\d{4}"))

    @property
    def required(self) -> list[str]:
        """The fields without which there is no item."""
        return [field["key"] for field in self.settings["fields"]["item"] if field.get("required")]


_METAL = Maker(
    industry="METAL",
    code="HAGANE",
    settings={
        "fields": {
            "item": [
                {"key": "material", "label": "Material", "labels": {"ja": "材質"}, "required": True},
                {
                    "key": "surface",
                    "label": "Surface treatment",
                    "labels": {"ja": "表面処理"},
                    "kind": "choice",
                    "choices": ["none", "zinc", "phosphate"],
                    "required": True,
                },
            ],
            "customer": [
                {"key": "gate", "label": "Gate", "labels": {"ja": "納品口"}, "pattern": "^[A-Z][0-9]{1,2}$"},
            ],
        },
        "without": {"item": ["heat_treatment"]},
        "numbering": {"quote": "HW-Q{series}-{number:05}", "order": "HW-{number:06}"},
        "approval": {"quote": "approval"},
        # What it makes goes by the piece, not by the melt.
        "shipping": {"heat_numbers": False, "certificates": False, "when_short": "stop"},
        "layout": {"accent": "#7a1f2b", "footer": "Hagane Works, Osaka"},
        "links": [{"screen": "shipment", "target": "invoice", "label": "Invoices"}],
    },
    made={
        "BRK-08": {"material": "S45C", "surface": "zinc"},
        "FLG-50": {"material": "SUS304", "surface": "none"},
        "SHF-20": {"material": "SCM440", "surface": "phosphate"},
        "PLT-03": {"material": "SS400", "surface": "none"},
        "BLT-10": {"material": "SWCH10R", "surface": "zinc"},
        "HSG-02": {"material": "A5052", "surface": "none", "drawing": "HW-1042 rev. C"},
    },
    customer={"gate": "B2"},
)
_FOOD = Maker(
    industry="FOOD",
    code="CAMPAGNA",
    settings={
        "fields": {
            "item": [
                {
                    "key": "storage",
                    "label": "Storage",
                    "labels": {"ja": "保存方法"},
                    "kind": "choice",
                    "choices": ["ambient", "chilled"],
                    "required": True,
                },
                {
                    "key": "shelf_life_days",
                    "label": "Shelf life in days",
                    "labels": {"ja": "賞味期間(日)"},
                    "kind": "number",
                    "decimals": 0,
                    "minimum": "30",
                    "required": True,
                },
            ],
            "customer": [{"key": "cold_chain", "label": "Cold chain", "labels": {"ja": "冷蔵配送"}, "kind": "yes_no"}],
        },
        "numbering": {"quote": "CF-Q{series}-{number:05}", "order": "CF-{number:06}"},
        "approval": {"quote": "approval"},
        "shipping": {"when_short": "stop"},
        "layout": {"accent": "#2f6b3a", "footer": "Campagna Foods, Bologna"},
        "links": [{"screen": "order", "target": "lot", "label": "Lots"}],
    },
    made={
        "TOM-K5": {"storage": "ambient", "shelf_life_days": "730"},
        "PES-01": {"storage": "chilled", "shelf_life_days": "60", "allergens": "milk, nuts"},
        "OIL-L1": {"storage": "ambient", "shelf_life_days": "540"},
        "PAS-12": {"storage": "ambient", "shelf_life_days": "900", "allergens": "wheat"},
        "PRM-24": {"storage": "chilled", "shelf_life_days": "180", "allergens": "milk"},
        "SAU-03": {"storage": "ambient", "shelf_life_days": "365"},
    },
    customer={"cold_chain": True},
)
_MAKERS = {"metalworking": _METAL, "food processing": _FOOD}


def maker_of(firm: Firm) -> Maker | None:
    """None for a company that makes nothing."""
    return _MAKERS.get(firm.industry)


async def choose(admin: User, firm: Firm) -> None:
    """Add the company's template below its industry's, choose it, and wait until those have heard who go by it."""
    maker = maker_of(firm)
    if maker is None:
        return
    found = await admin.until(
        f"/v1/templates?code={maker.industry}", lambda page: page["items"], what=f"the template {maker.industry}"
    )
    body = {
        "code": maker.code,
        "name": firm.name,
        "level": "customer",
        "parent_id": found["items"][0]["id"],
        "settings": maker.settings,
    }
    template, made = await admin.told("/v1/templates", body, key="template")
    _, chosen = await admin.told(
        "/v1/template-choice", {"template_id": template["id"]}, key="template-choice", method="PUT"
    )
    for path in _HEARD_BY:
        await admin.get(f"/v1/{path}", after=f"{made}, {chosen}", limit=1)
