"""A carrier and its tariffs, as a company keeps them."""

from typing import Any

from tailrace_testing import Harness

RATES = [
    {"country": "JP", "postal_prefix": None, "up_to_grams": 2000, "price": 800},
    {"country": "JP", "postal_prefix": None, "up_to_grams": 10000, "price": 1500},
]


async def carrier(shipping: Harness, code: str = "POST", **more: Any) -> str:
    answer = await shipping.client.post("/v1/carriers", json={"code": code, "name": code.title(), **more})
    return str(answer.json()["id"])


def tariff(carrier_id: str, code: str, **changes: Any) -> dict[str, Any]:
    given = {"code": code, "name": code, "carrier_id": carrier_id, "service": "standard", "currency": "JPY"}
    return {**given, "valid_from": "2026-01-01", "rates": RATES, **changes}


async def kept(shipping: Harness, body: dict[str, Any]) -> str:
    answer = await shipping.client.post("/v1/tariffs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
