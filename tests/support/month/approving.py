"""Orders that wait for credit, and who decides: the manager, or the deputy while the manager is away."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx2

from tailrace_testing.gateway import eventually

if TYPE_CHECKING:
    from month.trading import Trading


async def exceed(month: "Trading") -> None:
    """The first customer orders more than they may owe, and it is let go on."""
    sku, rate, _, price = max(month.firm.kind.goods, key=lambda good: float(good[3]))
    line = {"item": month.firm.items[sku], "warehouse": month.firm.warehouses[1], "quantity": "12"}
    await month.place([{**line, "unit_price": price, "rate": rate}], month.firm.customers[0], yes=True)


async def bind(month: "Trading", order: dict[str, Any], kept: dict[str, Any], yes: bool | None = None) -> None:
    """An order that waits for credit is released by approval, or refused and dropped: by chance, unless that is said."""
    if order["status"] == "confirmed":
        return
    assert order["status"] == "credit_hold", order
    hold = order["credit_hold"]
    if "limit_exceeded" in hold["reasons"]:
        assert hold["exposure"] + hold["worth"] > hold["credit_limit"], hold
    if month.dice.random() < 0.7 if yes is None else yes:
        await release(month, order["id"])
        month.tales.add("released")
    else:
        await _decide(month, order["id"], "reject", lambda: _refused(month, order["id"]))
        await month.drop(kept, "They owe too much.")
        month.tales.add("refused")


async def release(month: "Trading", order: str) -> None:
    """Say yes. What has room meanwhile goes on by itself."""
    await _decide(month, order, "approve", lambda: _binds(month, order))


async def approve(month: "Trading", document: str, done: Callable[[], Awaitable[bool]]) -> None:
    """Say yes to whatever is asked about a document, until that is done."""
    await _decide(month, document, "approve", done)


async def _decide(month: "Trading", document: str, verb: str, done: Callable[[], Awaitable[bool]]) -> None:
    """What was decided or is void by then is refused, and that is no matter."""
    decider = month.firm.decider

    async def look() -> bool:
        waiting = [
            each for each in await decider.every("/v1/approvals", document_id=document) if each["status"] == "pending"
        ]
        for each in waiting:
            here = f"/v1/approvals/{each['id']}"
            with suppress(httpx2.TransportError):
                said = {"reason": "As agreed."}
                answer = await decider.send("PATCH", f"{here}/{verb}", key=f"{verb} {each['id']}", json=said)
                if answer.status_code == 200 and month.firm.away:
                    month.tales.add("decided by the deputy")
        return await done()

    await eventually(look, bool, what=f"{document}: {verb}")


async def _binds(month: "Trading", order: str) -> bool:
    return bool((await month.firm.member.get(f"/v1/orders/{order}"))["status"] == "confirmed")


async def _refused(month: "Trading", order: str) -> bool:
    now = await month.firm.member.get(f"/v1/orders/{order}")
    return bool(now["status"] == "confirmed" or now["credit_hold"]["state"] == "rejected")
