"""Every operation of the toy shop once."""

from decimal import Decimal

from invariants.walk import Walker

from contracts.catalog import ItemCreated
from tailrace.core.ids import uuid7


async def walk(w: Walker) -> None:
    await w.get("/v1/card-terms")
    card = {"number": "C-1", "email": "ada@toyshop.example", "label": "gold", "stamps": [{"text": "first"}]}
    made = await w.post("/v1/cards", card)
    await w.post("/v1/cards", {**card, "number": "C-2"})
    await w.post("/v1/cards", {**card, "number": "C-0"})
    await w.post("/v1/cards/bulk", {"items": [{**card, "number": "C-3"}, {**card, "number": "C-4"}]})
    await w.get("/v1/cards")
    await w.get("/v1/cards/mine")
    await w.get("/v1/cards/{card_id}", card_id=made["id"])
    await w.get("/v1/cards/{card_id}/stamps", card_id=made["id"])
    await w.put("/v1/cards/{card_id}", {"label": "silver", "role": "owner", "version": "second"}, card_id=made["id"])
    await w.post("/v1/cards/{card_id}/close", card_id=made["id"])
    for number in range(3):
        id = uuid7()
        item = ItemCreated(item_id=id, sku=f"T{number}", name="Toy", unit="pcs", tax_rate=Decimal("0.1"))
        await w.tell(item, aggregate_id=id)
    given = await w.post("/v1/points", {"by": 5, "card_id": made["id"]})
    await w.get("/v1/points/{points_id}", points_id=given["id"])
    await w.get("/v1/products")
