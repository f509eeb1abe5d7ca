"""What the demo expects as of past moments is counted in the log: by the moments that answers name, without orders that follow from quotes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tailrace_demo.past import past

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def after(seconds: int) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def said(path: str, answer: dict[str, Any], body: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    return {"tenant": "t", "method": "POST", "path": path, "body": body or {}, "answer": answer, **other}


def order(second: int, customer: str | None = None, **other: Any) -> dict[str, Any]:
    body = {} if customer is None else {"customer_id": customer}
    return said("/v1/orders", {"id": f"o{second}", "created_at": after(second)}, body, **other)


def test_each_figure_counts_what_was_done_by_its_moment() -> None:
    log = [
        # Answered in another order than they were done.
        *(order(second) for second in (4, 1, 3, 2)),
        order(5, "buys"),
        order(5, "offered"),
        order(1, tenant="another"),
        said("/v1/orders/o1/cancel", {"id": "o1", "updated_at": after(9)}),
        said("/v1/quotes", {"id": "q1"}, {"customer_id": "offered"}),
        said("/v1/quotes", {"id": "q2"}, {"customer_id": "declines"}),
        said("/v1/quotes/q1", {"id": "q1", "updated_at": after(2)}, method="PUT"),
        said("/v1/quotes/q1/send", {"id": "q1", "updated_at": after(2)}),
        said("/v1/quotes/q2/send", {"id": "q2", "updated_at": after(4)}),
        said("/v1/quotes/q1/accept", {"id": "q1", "updated_at": after(3)}),
    ]
    found = past(log, "t", {f"o{number}": 10**number for number in range(1, 6)})
    assert found.customers == {None, "buys"}
    assert [moment and moment - BEGAN for moment in found.moments.values()] == [
        *(timedelta(seconds=second) for second in (1, 2, 3)),
        None,
    ]
    figures = found.wanted()
    assert [value for name, value in figures.items() if name.startswith("orders entered")] == [1, 2, 3, 5]
    assert [value for name, value in figures.items() if name.endswith("net")] == [10, 110, 1_110, 111_110]
    assert [value for name, value in figures.items() if name.startswith("quotes sent")] == [0, 1, 1, 2]
    assert [value for name, value in figures.items() if name.startswith("quotes accepted")] == [0, 0, 1, 1]
    assert len(figures) == 16
