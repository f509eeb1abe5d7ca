"""Every operation of the catalog once: two of each kind of master data, changed, shown, listed, dropped and restored."""

from typing import Any

from invariants.walk import Walker

from contracts.users import TenantCreated

UNIT = {"code": "crate", "name": "Crate", "dimension": "volume", "factor": "40", "decimals": 3}
ITEM = {
    "sku": "BOLT",
    "name": "Bolt",
    "unit": "pcs",
    "tax_rate": "0.19",
    "conversions": [{"unit": "box", "factor": "12"}],
}
TAX_CODE = {"code": "STANDARD", "name": "Standard rate", "rates": [{"valid_from": "2021-01-01", "rate": "0.19"}]}
ROUNDINGS = [{"valid_from": "2026-01-01", "level": "line", "mode": "half_even"}]
TEMPLATE = {
    "code": "HOUSE",
    "name": "House",
    "level": "standard",
    "settings": {"fields": {"item": [{"key": "colour", "label": "Colour"}]}, "numbering": {"quote": "Q-{number:06}"}},
}
WAREHOUSE = {"code": "NORTH", "name": "North", "country": "DE"}


async def walk(w: Walker) -> None:
    founded = TenantCreated(tenant_id=w.tenant, slug="acme", name="Acme", currency="EUR")
    await w.tell(founded, aggregate_id=w.tenant)
    unit = await w.post("/v1/units", UNIT)
    await _changed(w, "/v1/units", "unit_id", unit["id"], {**UNIT, "name": "Beer crate"})
    await w.post("/v1/units/convert", {"quantity": "2", "from": "kg", "to": "g"})
    await w.delete("/v1/units/{unit_id}", unit_id=unit["id"])
    await w.post("/v1/units/{unit_id}/restore", unit_id=unit["id"])

    item = await w.post("/v1/items", ITEM)
    other = await w.post("/v1/items", {**ITEM, "sku": "NUT"})
    await w.post("/v1/items", {**ITEM, "sku": "WASHER"})
    await w.post("/v1/items/bulk", {"items": [{**ITEM, "sku": "PIN"}, {**ITEM, "sku": "PEG"}], "replace": True})
    await _changed(w, "/v1/items", "item_id", item["id"], {**ITEM, "name": "Hex bolt"})
    await w.delete("/v1/items/{item_id}", item_id=other["id"])
    await w.post("/v1/items/{item_id}/restore", item_id=other["id"])

    place = await w.post("/v1/warehouses", WAREHOUSE)
    spare = await w.post("/v1/warehouses", {**WAREHOUSE, "code": "SOUTH"})
    await w.post("/v1/warehouses", {**WAREHOUSE, "code": "WEST"})
    await _changed(w, "/v1/warehouses", "warehouse_id", place["id"], {**WAREHOUSE, "name": "Far north"})
    await w.delete("/v1/warehouses/{warehouse_id}", warehouse_id=spare["id"])
    await w.post("/v1/warehouses/{warehouse_id}/restore", warehouse_id=spare["id"])

    prices = {
        "code": "RETAIL",
        "name": "Retail",
        "currency": "EUR",
        "prices": [{"item_id": item["id"], "unit_price": "150"}],
    }
    listed = await w.post("/v1/price-lists", prices)
    trade = await w.post("/v1/price-lists", {**prices, "code": "TRADE"})
    await w.post("/v1/price-lists", {**prices, "code": "STAFF"})
    await _changed(w, "/v1/price-lists", "price_list_id", listed["id"], {**prices, "name": "Retail 2026"})
    asked = {"item_id": item["id"], "quantity": "3"}
    await w.get("/v1/price-lists/{price_list_id}/price", price_list_id=listed["id"], query=asked)
    await w.delete("/v1/price-lists/{price_list_id}", price_list_id=trade["id"])
    await w.post("/v1/price-lists/{price_list_id}/restore", price_list_id=trade["id"])

    taxed = await w.post("/v1/tax-codes", TAX_CODE)
    exempt = await w.post("/v1/tax-codes", {**TAX_CODE, "code": "EXEMPT"})
    await w.post("/v1/tax-codes", {**TAX_CODE, "code": "REDUCED"})
    await _changed(w, "/v1/tax-codes", "tax_code_id", taxed["id"], {**TAX_CODE, "roundings": ROUNDINGS})
    await w.delete("/v1/tax-codes/{tax_code_id}", tax_code_id=exempt["id"])
    await w.post("/v1/tax-codes/{tax_code_id}/restore", tax_code_id=exempt["id"])
    untaxed = {name: value for name, value in ITEM.items() if name != "tax_rate"}
    await w.post("/v1/items", {**untaxed, "sku": "BOLT-S", "tax_code_id": taxed["id"]})
    standard = await w.post("/v1/templates", TEMPLATE)
    industry = {**TEMPLATE, "level": "industry", "parent_id": standard["id"]}
    wood = await w.post("/v1/templates", {**industry, "code": "WOOD"})
    await w.post("/v1/templates", {**industry, "code": "STONE"})
    await _changed(w, "/v1/templates", "template_id", standard["id"], {**TEMPLATE, "name": "House standard"})
    await w.delete("/v1/templates/{template_id}", template_id=wood["id"])
    await w.post("/v1/templates/{template_id}/restore", template_id=wood["id"])
    await w.put("/v1/template-choice", {"template_id": wood["id"]})
    await w.get("/v1/template-choice")
    await w.post("/v1/items", {**ITEM, "sku": "BOLT-R", "custom_fields": {"colour": "red"}})
    await w.get("/v1/tax-policy")
    await w.put("/v1/tax-policy", {"roundings": ROUNDINGS})
    await w.imports(
        "/v1/items/import",
        "/v1/items/jobs",
        "sku,name,tax_rate\nI-1,Screw,0.19\nI-2,Nothing,\n",
        "sku,name,tax_rate\nI-3,Later,0.19\n",
    )


async def _changed(w: Walker, path: str, name: str, id: str, body: dict[str, Any]) -> None:
    ids: dict[str, Any] = {name: id}
    await w.get(path)
    await w.get(f"{path}/{{{name}}}", **ids)
    await w.put(f"{path}/{{{name}}}", body, **ids)
