"""Who pays late: reminded for a fee, sold nothing more meanwhile, and sold to again once the money is there."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from month import approving
from month.firms import OVERDUE, V1
from tailrace_testing.gateway import eventually

if TYPE_CHECKING:
    from month.trading import Trading


async def sell_to_who_pays_late(month: "Trading") -> None:
    """An invoice that will be overdue."""
    order = await month.place([month.line()], month.firm.customers[1])
    await month.ship_some(order, 0)
    await month.invoice_to(month.firm.customers[1])


async def remind(month: "Trading") -> None:
    """Nothing, when nobody is late."""
    member, firm = month.firm.member, month.firm
    day = (firm.today - timedelta(days=OVERDUE)).isoformat()
    late = [each for each in await month.known_invoices() if each["kind"] == "invoice" and _late(each, day)]
    if not late:
        return
    customer = late[0]["customer_id"]
    notice = await member.post(f"{V1}/dunning-notices", {"invoice_id": late[0]["id"]})
    fee = await member.get(f"{V1}/invoices/{notice['fee_invoice_id']}")
    month.invoices.append(fee)
    month.did("charged", invoice=fee["id"], customer=customer, net=firm.kind.fee, rate="0")
    await member.put("/v1/orders/credit-policy", {"overdue_days": OVERDUE - 1})
    standing = f"/v1/orders/credit/{customer}"
    await eventually(lambda: member.get(standing), lambda now: now["overdue_invoices"] > 0, what="what is overdue")
    order = await _held(month, customer)
    theirs = [each for each in await month.known_invoices() if each["customer_id"] == customer and each["open"]]
    paid = [each for each in theirs if each["id"] == fee["id"] or _late(each, firm.day)]
    await month.money(customer, sum(each["open"] for each in paid), [each["id"] for each in paid])
    if customer == firm.customers[0]:
        await approving.release(month, order["id"])  # they may be beyond their limit besides
    else:
        await eventually(
            lambda: member.get(f"/v1/orders/{order['id']}"),
            lambda now: now["status"] == "confirmed",
            what="the order of somebody who paid",
        )
    month.tales.add("reminded")


def _late(invoice: dict[str, Any], day: str) -> bool:
    """Whether it was due on that day or before, and is open."""
    return bool(invoice["open"] and invoice["due_on"] <= day)


async def _held(month: "Trading", customer: str) -> dict[str, Any]:
    """An order of theirs, which waits."""
    firm, lines = month.firm, [month.line()]
    line = {"item_id": lines[0]["item"], "warehouse_id": lines[0]["warehouse"], "quantity": lines[0]["quantity"]}
    terms = {"customer_id": customer, "customer_reference": "PO-late", "currency": firm.kind.currency, "confirm": True}
    body = {**terms, "lines": [{**line, "unit_price": lines[0]["unit_price"]}]}
    order: dict[str, Any] = await firm.member.post("/v1/orders", body)
    assert "invoice_overdue" in order["credit_hold"]["reasons"], order
    month.did("ordered", order=order["id"], customer=customer, lines=lines)
    month.keep(order, lines)
    return order
