"""What two services offer, as OpenAPI documents: orders, whose lines name items, and the catalog that has these."""

import json
from pathlib import Path
from typing import Any

from gateway.graph.offer import Action, Find, Offer, Read
from tailrace.core.screens import Part, Screen

ID = {"type": "string", "format": "uuid"}
ORDERS, ITEMS = "/v1/orders", "/v1/orders/catalog"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _page(row: str) -> dict[str, Any]:
    cursor = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return _object(["items"], items={"type": "array", "items": _ref(row)}, next_cursor=cursor)


def _in(place: str, name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": schema}


def _answers(name: str, parameters: list[dict[str, Any]], body: str | None = None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": f"Answers {name}.",
        "parameters": parameters,
        "responses": {"200": {"content": {"application/json": {"schema": _ref(name)}}}},
    }
    if body is not None:
        said["requestBody"] = {"content": {"application/json": {"schema": _ref(body)}}}
    return said


_LIST = [
    _in("query", "id", type="array", items=ID),
    _in("query", "status", type="array", items={"type": "string", "enum": ["draft", "done"]}),
    _in("query", "customer_id", **ID),
    _in("query", "limit", type="integer", minimum=1, maximum=200, default=50),
    _in("query", "cursor", type="string"),
]
_ONE = [_in("path", "order_id", **ID)]
_KEY = _in("header", "Idempotency-Key", type="string")
_SUMMARY = {
    "id": ID,
    "version": {"type": "integer"},
    "status": {"type": "string", "enum": ["draft", "done"]},
    "item_id": {"anyOf": [ID, {"type": "null"}]},
}
DOCUMENTS = {
    "orders": {
        "paths": {
            ORDERS: {"get": _answers("Page_OrderSummary_", _LIST), "post": _answers("OrderView", [_KEY], "NewOrder")},
            f"{ORDERS}/{{order_id}}": {"get": _answers("OrderView", _ONE)},
            f"{ORDERS}/{{order_id}}/confirm": {
                "post": _answers("OrderView", [*_ONE, _KEY, _in("header", "If-Match", type="string")])
            },
            f"{ORDERS}/{{order_id}}/history": {"get": _answers("Page_OrderSummary_", [*_ONE, *_LIST])},
        },
        "components": {
            "schemas": {
                "OrderSummary": _object(["id", "version", "status"], **_SUMMARY),
                "OrderView": _object(
                    ["id", "version", "status", "lines"],
                    **_SUMMARY,
                    lines={"type": "array", "items": _ref("LineView")},
                    secret={"type": "string", "x-scope": "orders:pii"},
                ),
                "LineView": _object(
                    ["item_id", "quantity"], item_id=ID, quantity={"type": "string", "format": "decimal"}
                ),
                "Page_OrderSummary_": _page("OrderSummary"),
                "NewOrder": _object(
                    ["customer_name"],
                    customer_name={"type": "string"},
                    quantity={"anyOf": [{"type": "number"}, {"type": "string"}]},
                    custom_fields={"type": "object"},
                ),
            }
        },
    },
    "catalog": {
        "paths": {ITEMS: {"get": _answers("Page_ItemView_", _LIST)}},
        "components": {
            "schemas": {
                "ItemView": _object(["id", "name"], id=ID, name={"type": "string"}),
                "Page_ItemView_": _page("ItemView"),
            }
        },
    },
}
TOY = Offer(
    reads=(
        Read("order", f"{ORDERS}/{{order_id}}"),
        Read("orders", ORDERS),
        Read("customerOrders", ORDERS, needs=("customer_id",), rows=True),
        Find("orderSummary", ORDERS),
    ),
    actions=(Action("createOrder", "post", ORDERS), Action("confirmOrder", "post", f"{ORDERS}/{{order_id}}/confirm")),
    links={"item_id": ITEMS},
)
SCREENS = (
    Screen(
        "order",
        "An order.",
        (
            Part("order", f"{ORDERS}/{{order_id}}"),
            Part("drafts", ORDERS, "customer_id={id}&status=draft&limit=20"),
            Part("history", f"{ORDERS}/{{order_id}}/history"),
        ),
    ),
)


def write_documents(promised: Path) -> None:
    """Into a folder, as the contracts carry them."""
    (promised / "openapi").mkdir(parents=True)
    for name, document in DOCUMENTS.items():
        (promised / "openapi" / f"{name}.json").write_text(json.dumps(document))
