"""What judges traces sees whatever is missing, too much, or drawn otherwise."""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tailrace_demo.topics import Event
from tailrace_demo.traces import Topics, _requests, wrong

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def event(id: str, topic: str, subject: str, sequence: int, request: str, cause: str | None = None) -> Event:
    at = NOW + timedelta(seconds=int(id[1:]))
    return Event(id, f"{topic}.{id}", f"{topic}.events", subject, "t", cause, request, sequence, at)


SALE = [
    event("e1", "order", "o1", 1, "create"),
    event("e2", "order", "o1", 2, "confirm"),
    event("e3", "stock", "s1", 7, "confirm", "e2"),
    event("e4", "shipment", "p1", 1, "confirm", "e3"),
    event("e5", "shipment", "p1", 2, "split"),
    event("e6", "shipment", "p2", 1, "split"),
    event("e7", "shipment", "p2", 2, "dispatch"),
    event("e8", "journal", "j1", 1, "dispatch", "e7"),
]
ANOTHER = [
    event("e9", "stock", "s1", 1, "receipt"),
    event("e10", "order", "o2", 1, "other"),
    event("e11", "stock", "s1", 8, "other", "e10"),
]
ASKED = Counter(["POST /v1/orders", "POST /v1/shipments/*/dispatch"])


def test_all_that_belongs_to_an_order_is_found_and_nothing_else() -> None:
    known = Topics([*SALE, *ANOTHER])
    assert set(known.belonging("o1")) == {each.id for each in SALE}
    assert set(known.belonging("o2")) == {"e10", "e11"}


def _trace() -> dict[str, Any]:
    nodes = [{"id": each.id, "kind": "event", "type": each.type, "label": None} for each in SALE]
    labels = ["POST /v1/orders → 201", "POST /v1/shipments/{shipment_id}/dispatch → 200"]
    nodes += [{"id": label, "kind": "access", "type": "gateway.accessed", "label": label} for label in labels]
    edges = [{"cause": each.cause, "effect": each.id, "kind": "caused"} for each in SALE if each.cause]
    return {"complete": True, "missing": [], "nodes": nodes, "edges": edges}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda trace: None, None),
        (lambda trace: trace.update(complete=False), "not complete"),
        (lambda trace: trace["nodes"].pop(7), "lacks journal.e8"),
        (lambda trace: trace["nodes"].append({**trace["nodes"][0], "id": "e10", "type": "order.e10"}), "has order.e10"),
        (lambda trace: trace["nodes"].pop(), "does not show"),
        (lambda trace: trace["edges"].pop(), "does not draw"),
        (lambda trace: trace["edges"].append({"cause": "e1", "effect": "e2", "kind": "caused"}), "does not draw"),
    ],
)
def test_each_fault_is_named(change: Callable[[dict[str, Any]], object], why: str | None) -> None:
    trace, wanted = copy.deepcopy(_trace()), Topics([*SALE, *ANOTHER]).belonging("o1")
    change(trace)
    found = wrong(trace, wanted, ASKED)
    assert (found is None) == (why is None) and (why is None or (found or "").startswith(why)), found


def test_requests_are_those_of_the_order_and_of_its_shipments() -> None:
    order, shipment = "0" * 8 + "-0000-0000-0000-" + "1" * 12, "0" * 8 + "-0000-0000-0000-" + "2" * 12
    said = [
        ("POST", "/v1/orders", {"id": order}),
        ("POST", f"/v1/orders/{order}/hold", {"id": order}),
        ("POST", f"/v1/shipments/{shipment}/dispatch", {"order_id": order}),
        ("POST", "/v1/customers", {"id": shipment}),
    ]
    entries = [{"method": method, "path": path, "answer": answer} for method, path, answer in said]
    assert _requests(entries) == {order: Counter(["POST /v1/orders", "POST /v1/orders/*/hold", *list(ASKED)[1:]])}
