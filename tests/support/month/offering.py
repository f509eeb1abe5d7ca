"""What is offered before it is ordered, and what is asked for before it leaves."""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2

from month import approving
from month.firms import V1
from tailrace_testing.gateway import eventually

if TYPE_CHECKING:
    from month.trading import Trading

DISCOUNT = "0.075"


async def quote(month: "Trading") -> None:
    """At agreed prices, less a share, which nobody may offer alone: a manager approves it, and the customer takes it by its link."""
    firm, member = month.firm, month.firm.member
    lines = [{**month.line(), "warehouse": firm.warehouses[0]} for _ in range(month.dice.randint(2, 4))]
    taken = month.dice.random() < 0.5
    customer = month.dice.choice(firm.customers)
    offered = [
        {"item_id": line["item"], "quantity": line["quantity"], "unit_price": line["unit_price"]} for line in lines
    ]
    offered[-1]["inclusion"] = "optional"
    body = {
        "customer_id": customer,
        "dated": firm.day,
        "valid_until": (firm.today + timedelta(days=20)).isoformat(),
        "warehouse_id": firm.warehouses[0],
        "discount_rate": DISCOUNT,
        "lines": offered,
    }
    made = await member.post("/v1/quotes", body)
    here = f"/v1/quotes/{made['id']}"
    assert (await member.post(f"{here}/submit"))["status"] == "in_approval"

    async def approved() -> bool:
        return bool((await member.get(here))["status"] == "approved")

    await approving.approve(month, made["id"], approved)
    await member.post(f"{here}/send")
    path = (await member.get(f"{here}/link"))["path"]
    said = {"name": "Bo Buyer", "taken": [made["lines"][-1]["id"]] if taken else []}
    await eventually(lambda: _accepted(month, path, said), bool, what="the acceptance")
    ordered = await eventually(lambda: member.get(here), lambda now: now["order_id"] is not None, what="the order")
    order = await member.get(f"/v1/orders/{ordered['order_id']}")
    wanted = lines if taken else lines[:-1]
    month.did("ordered", order=order["id"], customer=customer, lines=wanted, discount=DISCOUNT)
    month.tales.add("quoted")
    await approving.bind(month, order, month.keep(order, wanted))


async def _accepted(month: "Trading", path: str, said: dict[str, Any]) -> bool:
    """An acceptance counts once, however often it comes."""
    with suppress(httpx2.TransportError):
        answer = await month.firm.member.client.post(f"{path}/accept", json=said)
        assert answer.status_code in {200, 429} or answer.status_code >= 500, answer.text
        return answer.status_code == 200
    return False


async def ask_ahead(month: "Trading") -> None:
    """A share of an order before any of it leaves, which the customer mostly pays at once, wrongly or not."""
    worth = [
        order
        for order in month.fresh()
        if order["id"] in month.marks and any(line["unit_price"] != "0.5" for line in order["lines"])
    ]
    if not worth:
        return
    order, share = month.dice.choice(worth), month.dice.choice(["0.3", "0.45"])
    order["ahead"] = True
    body = {"order_id": order["id"], "prepayment": {"share": share}}
    await month.firm.member.get(f"{V1}/invoices", limit=1, having_seen=month.marks[order["id"]])
    draft = await month.firm.member.post(f"{V1}/invoices", body)
    invoice = await month.issued(draft["id"])
    month.did("asked_ahead", invoice=invoice["id"], order=order["id"], share=share)
    if month.dice.random() < 0.8:
        await month.pay_some(invoice)
