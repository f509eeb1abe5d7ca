"""Whether a manufacturer's items, quotes and orders are as its template says, asked for through the gateway."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tailrace_demo.books import Check
from tailrace_demo.client import RefusedError, User
from tailrace_demo.expected import Expected
from tailrace_demo.setup import Shop
from tailrace_demo.templates import Maker, maker_of


@dataclass(frozen=True)
class Templated:
    """What goes by a company's template. `line` are the templates that it is made of, the company's own last."""

    line: Sequence[str]
    effective: Mapping[str, Any]
    checks: Sequence[Check]

    def __str__(self) -> str:
        fields = ", ".join(field["label"].lower() for field in self.effective["fields"]["item"])
        numbering, rules, paper = self.effective["numbering"], self.effective["shipping"], self.effective["layout"]
        named = [name.replace("_", " ") for name, said in rules.items() if said is True]
        screens = ", ".join(f"{link['screen']} → {link['target']}" for link in self.effective["links"])
        return (
            f"{' → '.join(self.line)}: items have {fields}; numbers are {numbering['quote']} and {numbering['order']}; "
            f"quotes are approved by the process “{self.effective['approval']['quote']}”; paper says “{paper['footer']}”; "
            f"shipping: {', '.join(named)}; screens: {screens}"
        )


async def look(shop: Shop, figures: Expected) -> Templated | None:
    """None for a company that makes nothing. One request more is made, which has to be refused."""
    maker = maker_of(shop.firm)
    if maker is None:
        return None
    line, effective, id = list[str](), None, (await shop.admin.get("/v1/template-choice"))["template_id"]
    while id is not None:
        template = await shop.admin.get(f"/v1/templates/{id}")
        line, effective, id = [template["code"], *line], effective or template["effective"], template["parent_id"]
    shown = {item["id"]: item["custom_fields"] for item in await shop.admin.every("/v1/items")}
    described = sum(shown[id] == maker.made[sku] for sku, id in shop.items.items())
    refused = await _refused(shop.admin)
    checks = [
        Check("items as the template wants", described, len(shop.items), counted=True),
        Check("fields that are required", refused, dict.fromkeys(sorted(maker.required), 1)),
        Check(
            "quotes numbered by it", await _numbered(shop, maker, "quote"), sum(figures.quotes.values()), counted=True
        ),
        Check(
            "orders numbered by it", await _numbered(shop, maker, "order"), sum(figures.orders.values()), counted=True
        ),
    ]
    return Templated(line, effective or {}, checks)


async def _numbered(shop: Shop, maker: Maker, document: str) -> int:
    form = re.compile(maker.numbers(document))
    return sum(bool(form.fullmatch(row["number"])) for row in await shop.admin.every(f"/v1/{document}s"))


async def _refused(admin: User) -> dict[str, int]:
    """By field that an item was refused for which has none of them."""
    body = {"sku": "PLAIN", "name": "An item that says nothing of itself", "unit": "pcs", "tax_rate": "0.1"}
    try:
        await admin.post("/v1/items", body, key="item/plain")
    except RefusedError as refused:
        if refused.status != 422:
            raise
        return dict.fromkeys(sorted(each["field"].rpartition("/")[2] for each in refused.problem["errors"]), 1)
    return {}
