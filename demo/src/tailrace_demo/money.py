"""From goods that left to money that came: one customer pays by the bank, one gives something back, one has a limit, one has to be reminded.

What finance does is dated by hand only where it is long ago: an invoice of March that nobody paid. It is issued before the others, since the
dates of a series of numbers do not go back.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tailrace_demo.approvals import BANK, Deciders
from tailrace_demo.client import User
from tailrace_demo.companies import Good
from tailrace_demo.setup import Shop

ORDERED, LEFT, INVOICED = "2026-03-02T08:00:00Z", "2026-03-03T09:00:00Z", "2026-03-04"
"""Of the order that is invoiced long ago."""
TERMS, OVERDUE = 30, 10
"""Days in which customers pay, and days beyond them after which they are sold nothing more."""
GIVEN_BACK = 1
_V1 = "/v1/accounting"


@dataclass(frozen=True)
class _Desk:
    """Who does all this, and where money comes in."""

    shop: Shop
    people: Deciders
    bank: str
    reason: str

    @property
    def seller(self) -> User:
        return self.shop.sellers[0]


async def collect(shop: Shop, people: Deciders) -> None:
    """Let four customers buy, and see to it that they pay."""
    desk = await _open(shop, people)
    pays, gives_back, limited, late = [await _customer(shop, number) for number in range(1, 5)]
    await _invoice_long_ago(desk, late)
    async with asyncio.TaskGroup() as group:
        group.create_task(_pay_by_bank(desk, pays))
        group.create_task(_give_back(desk, gives_back))
        group.create_task(_exceed(desk, limited))
        group.create_task(_remind(desk, late))


async def _open(shop: Shop, people: Deciders) -> _Desk:
    """Say what invoices say of the company, where money comes in, who is reminded when, and why goods come back."""
    firm, admin = shop.firm, shop.admin
    issuer = {"lines": ["1 Mill Lane"], "city": firm.warehouses[0][1], "country": firm.country}
    await admin.put(f"{_V1}/billing", {"mode": "manual", "issuer": issuer}, key="billing")
    levels = [{"days": 7}, {"days": 21, "fee": firm.fee, "fee_currency": firm.currency}]
    await people.finance.put(f"{_V1}/dunning-policy", {"levels": levels}, key="dunning-policy")
    await people.finance.put("/v1/orders/credit-policy", {"overdue_days": OVERDUE}, key="credit-policy")
    bank = {"code": "HB", "name": "House bank", "currency": firm.currency, "account": BANK}
    account = (await people.finance.post(f"{_V1}/bank-accounts", bank, key="bank-account"))["id"]
    reason = {"code": "BROKEN", "name": "Broken on its way"}
    return _Desk(shop, people, account, (await admin.post("/v1/return-reasons", reason, key="return-reason"))["id"])


async def _customer(shop: Shop, number: int) -> str:
    body = {
        "name": shop.firm.customers[number],
        "currency": shop.firm.currency,
        "payment_terms_days": TERMS,
        "addresses": [{"use": "billing", "lines": ["2 Quay"], "city": "Harbour", "country": shop.firm.country}],
    }
    return str((await shop.admin.post("/v1/customers", body, key=f"customer/{number}"))["id"])


# What each of them does.


async def _pay_by_bank(desk: _Desk, customer: str) -> None:
    """Two invoices, on one statement of the bank that names them; of a third, half."""
    invoices = []
    for number in range(3):
        order = await _order(desk, customer, f"bank/{number}", [(number, 3), (number + 1, 7)])
        _, left_as = await _ship(desk, order, f"bank/{number}")
        invoices.append(await _invoice(desk, order["id"], left_as, f"bank/{number}"))
    left = invoices.pop()
    rows = [
        f"{each['dated']},{_major(each['total'], desk.shop.firm.digits)},{desk.shop.firm.customers[1]},Invoice {each['number']}"
        for each in invoices
    ]
    content = "\n".join(["value_day,amount,payer_name,reference", *rows, ""])
    body = {"bank_account_id": desk.bank, "format": "csv", "content": content, "confirm_certain": True}
    await desk.people.finance.post(f"{_V1}/bank-statements", body, key="bank-statement")
    await _pay(desk, customer, [left], left["total"] // 2, "bank/2")


async def _give_back(desk: _Desk, customer: str) -> None:
    """All is paid, one piece comes back to be sold again, and its price is paid back."""
    order = await _order(desk, customer, "back", [(0, 5)])
    shipment, left_as = await _ship(desk, order, "back")
    invoice = await _invoice(desk, order["id"], left_as, "back")
    await _pay(desk, customer, [invoice], invoice["total"], "back")
    line = {"shipment_id": shipment["id"], "line_id": order["lines"][0]["id"], "quantity": str(GIVEN_BACK)}
    asked = {"order_id": order["id"], "return_reason_id": desk.reason, "lines": [line], "authorise": True}
    await desk.seller.until(f"/v1/orders/{order['id']}/returnable", lambda said: said["lines"], what="what left")
    made = await desk.seller.post("/v1/returns", asked, key="return")
    here, of = f"/v1/return-shipments/{made['return_shipment_id']}", made["lines"][0]["id"]
    await desk.seller.until(
        f"/v1/return-shipments?return_id={made['id']}", lambda page: page["items"], what="the warehouse to expect it"
    )
    came = {"lines": [{"return_line_id": of, "quantity": str(GIVEN_BACK)}]}
    await desk.seller.post(f"{here}/receive", came, key="return/came")
    seen = {"lines": [{"return_line_id": of, "verdict": "restock", "quantity": str(GIVEN_BACK)}]}
    await desk.seller.post(f"{here}/inspect", seen, key="return/seen")
    await desk.seller.until(
        f"/v1/returns/{made['id']}", lambda now: now["status"] == "closed", what="the end of the return"
    )
    body = {"bank_account_id": desk.bank, "customer_id": customer, "reason": "They gave it back."}
    await desk.people.finance.post(f"{_V1}/refunds", body, key="refund")


async def _exceed(desk: _Desk, customer: str) -> None:
    """One order fits, one is released by the manager, one waits still."""
    good, firm = desk.shop.firm.goods[0], desk.shop.firm
    limit = 3 * good.typical * int(Decimal(good.price))
    said = {"credit_limit": limit, "reason": "Their bank says so."}
    await desk.shop.admin.put(f"/v1/customers/{customer}/credit", said, key="limit")
    await desk.seller.until(
        f"/v1/orders/credit/{customer}", lambda now: now["credit_limit"] == limit, what=f"the limit at {firm.name}"
    )
    await _order(desk, customer, "limit/0", [(0, 2 * good.typical)])
    for number in (1, 2):
        order = await _order(desk, customer, f"limit/{number}", [(0, good.typical)])
        asked = await _asked(desk, order["id"])
        if number == 1:
            manager = desk.people.manager
            await manager.patch(f"/v1/approvals/{asked}/approve", {"reason": "A good customer."}, key="limit/yes")
            await _binds(desk, order)


async def _invoice_long_ago(desk: _Desk, customer: str) -> None:
    order = await _order(desk, customer, "late", [(2, 4)], ordered_at=ORDERED)
    _, left_as = await _ship(desk, order, "late", dispatched_at=LEFT)
    await _invoice(desk, order["id"], left_as, "late", dated=INVOICED)


async def _remind(desk: _Desk, customer: str) -> None:
    """Reminded for a fee, and sold nothing more until all is paid."""
    finance, seller = desk.people.finance, desk.seller
    (invoice,) = [
        each for each in await finance.every(f"{_V1}/invoices", customer_id=customer) if each["dated"] == INVOICED
    ]
    notice = await finance.post(f"{_V1}/dunning-notices", {"invoice_id": invoice["id"]}, key="reminder")
    if len(await seller.every("/v1/orders", customer_id=customer)) < 2:
        await seller.until(
            f"/v1/orders/credit/{customer}", lambda now: now["overdue_invoices"], what="what is overdue to be known"
        )
    order = await _order(desk, customer, "late/again", [(2, 1)])
    fee = await finance.get(f"{_V1}/invoices/{notice['fee_invoice_id']}")
    await _pay(desk, customer, [invoice, fee], notice["total"], "late")
    await _binds(desk, order)
    path = f"/v1/approvals?document_id={order['id']}"
    await desk.people.manager.until(
        path, lambda page: page["items"] and page["items"][0]["status"] == "voided", what="nobody to be asked any more"
    )


# What all of them do.


async def _order(desk: _Desk, customer: str, key: str, goods: list[tuple[int, int]], **said: str) -> dict[str, Any]:
    """`goods` are places in the list of what the company sells, and quantities."""
    lines = [_line(desk.shop, desk.shop.firm.goods[at % len(desk.shop.firm.goods)], quantity) for at, quantity in goods]
    body = {"customer_id": customer, "customer_reference": key, "currency": desk.shop.firm.currency, "lines": lines}
    made: dict[str, Any] = await desk.seller.post("/v1/orders", {**body, **said, "confirm": True}, key=f"money/{key}")
    return made


def _line(shop: Shop, good: Good, quantity: int) -> dict[str, str]:
    warehouse = next(iter(shop.warehouses.values()))
    return {
        "item_id": shop.items[good.sku],
        "warehouse_id": warehouse,
        "quantity": str(quantity),
        "price_list_id": shop.price_list,
    }


async def _ship(desk: _Desk, order: dict[str, Any], key: str, **said: str) -> tuple[dict[str, Any], str]:
    """All of it, in one shipment, and wait until that is in the books: the shipment, and the event that it left."""
    found = await desk.seller.until(
        f"/v1/shipments?order_id={order['id']}", lambda page: page["items"], what=f"a shipment of {order['number']}"
    )
    shipment: dict[str, Any] = found["items"][0]
    _, event = await desk.seller.told(f"/v1/shipments/{shipment['id']}/dispatch", said, key=f"money/{key}/dispatch")
    await desk.people.finance.until(
        f"{_V1}/journals?order_id={order['id']}", lambda page: page["items"], what=f"{order['number']} in the books"
    )
    return shipment, event


async def _invoice(desk: _Desk, order_id: str, left_as: str, key: str, **dated: str) -> dict[str, Any]:
    """What is posted is read by another subscriber than what is invoiced, so the event is named."""
    finance = desk.people.finance
    draft = await finance.post(f"{_V1}/invoices", {"order_id": order_id}, key=f"money/{key}/invoice", after=left_as)
    issued: dict[str, Any] = await finance.post(f"{_V1}/invoices/{draft['id']}/issue", dated, key=f"money/{key}/issue")
    return issued


async def _pay(desk: _Desk, customer: str, invoices: list[dict[str, Any]], amount: int, key: str) -> None:
    body = {
        "bank_account_id": desk.bank,
        "customer_id": customer,
        "amount": amount,
        "allocations": [{"invoice_id": each["id"]} for each in invoices],
    }
    await desk.people.finance.post(f"{_V1}/payments", body, key=f"money/{key}/payment")


async def _asked(desk: _Desk, document_id: str) -> str:
    page = await desk.people.manager.until(
        f"/v1/approvals?document_id={document_id}", lambda page: page["items"], what=f"an approval of {document_id}"
    )
    return str(page["items"][0]["id"])


async def _binds(desk: _Desk, order: dict[str, Any]) -> None:
    await desk.seller.until(
        f"/v1/orders/{order['id']}", lambda now: now["status"] == "confirmed", what=f"{order['number']} to go on"
    )


def _major(amount: int, digits: int) -> str:
    return format(Decimal(amount).scaleb(-digits), "f")
