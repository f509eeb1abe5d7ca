"""Quotes of the demo: the same for the same seed, of every kind, and what is made of those that are accepted is counted."""

from collections import Counter
from decimal import Decimal
from typing import Any, cast

from tailrace_demo.companies import FOOD
from tailrace_demo.expected import expected
from tailrace_demo.offers import FATES, offers
from tailrace_demo.setup import Shop

ITEMS = {good.sku: good.sku for good in FOOD.goods}
SHOP = Shop(FOOD, cast(Any, None), [], ITEMS, {"BOL": "bologna"}, "list")


def test_they_are_the_same_each_time_and_of_every_kind() -> None:
    assert offers(SHOP, 141, 7) == offers(SHOP, 141, 7) != offers(SHOP, 141, 8)
    for count in (5, 141):
        found = Counter(each.fate for each in offers(SHOP, count, 7))
        assert (found.keys(), found.total()) == (FATES.keys(), count)
    assert all(1 <= len({line["item_id"] for line in each.lines}) == len(each.lines) for each in offers(SHOP, 141, 7))


def test_what_is_accepted_becomes_an_order_at_list_prices() -> None:
    lines = [
        {"item_id": "TOM-K5", "quantity": "3", "discount_rate": "0"},
        {"item_id": "PRM-24", "quantity": "2", "discount_rate": "0"},
    ]
    body = {"customer_id": "c", "warehouse_id": "bologna", "lines": lines}
    log: list[dict[str, Any]] = []

    def said(path: str, body: Any, answer: dict[str, Any]) -> None:
        log.append({"tenant": "t", "user": "giulia@t.example", "path": path, "body": body, "answer": answer})

    for id, steps in {"a": ["submit", "send", "accept"], "b": ["submit", "send", "decline"], "d": []}.items():
        said("/v1/quotes", body, {"id": id})
        for step in steps:
            said(f"/v1/quotes/{id}/{step}", {}, {"id": id})
    rates = {good.sku: Decimal(good.tax) for good in FOOD.goods}
    prices = {good.sku: Decimal(good.price) for good in FOOD.goods}
    figures = expected(log, "t", rates, prices)
    # 3 at 742 and 2 at 1945.75, each rounded once.
    assert (figures.orders, figures.net_ordered) == ({"confirmed": 1}, 2226 + 3892)
    assert figures.quotes == {"accepted": 1, "declined": 1, "draft": 1}
