"""Prepayments: taxed as they are received, deducted by what leaves rate by rate, and never twice in the books, whatever is taken back."""

import asyncio
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing import Billing, Ordered
from settling import settle

from contracts.invoices import CreditNoteIssued, InvoiceIssued, InvoicePaid, InvoiceReopened
from contracts.orders import LineQuantity, OrderCancelled, OrderRestCancelled
from contracts.reopenings import OrderReopened
from tailrace_testing import today

PROBLEM = "urn:tailrace:problem:"
TWO_RATES = (("10", 10_000, "0.1"), ("1", 5_000, "0.08"))


async def ahead(billing: Billing, order: Ordered, **said: Any) -> dict[str, Any]:
    """A prepayment invoice, issued."""
    return await billing.issue(await billing.post("/invoices", order_id=str(order.id), prepayment=said))


async def shipped(billing: Billing, order: Ordered, *quantities: str) -> dict[str, Any]:
    """So much of an order leaves, and is invoiced."""
    shipment = await billing.ship(order, *quantities)
    return await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))


async def figures(billing: Billing) -> dict[str, int]:
    """Debits less credits of what is owed, prepayments, tax and revenue; the control accounts are intact."""
    books = await billing.balances()
    names = {"1200": "owed", "2320": "ahead", "2200": "tax", "4000": "revenue", "2300": "credit", "1210": "unbilled"}
    return {name: books[code] for code, name in names.items() if code in books}


async def credit(billing: Billing, invoice: dict[str, Any], status: int = 201, **said: Any) -> dict[str, Any]:
    return await billing.post(f"/invoices/{invoice['id']}/credit-notes", status, reason="a mistake", **said)


async def test_what_is_paid_ahead_is_taxed_then_and_deducted_by_rate(billing: Billing) -> None:
    bank = await billing.bank(iban="DE89370400440532013000")
    order = await billing.order(*TWO_RATES)
    asked = await ahead(billing, order, share="0.3")
    assert [(line["net"], line["tax"], line["tax_rate"]) for line in asked["lines"]] == [
        (3_000, 300, "0.1"),
        (1_500, 120, "0.08"),
    ]
    assert (asked["kind"], asked["total"], asked["order_id"]) == ("prepayment", 4_920, str(order.id))
    assert await figures(billing) == {"owed": 4_920, "ahead": -4_920}
    first = await billing.pay(bank, 2_000, asked)
    # 1,341 at 10 % hold 122 of tax, 659 at 8 % hold 49.
    assert await figures(billing) == {"owed": 2_920, "ahead": -4_749, "tax": -171}
    await billing.pay(bank, 2_920, asked)
    assert await figures(billing) == {"ahead": -4_500, "tax": -420}
    undo = f"/payments/{first['id']}/allocations/{first['allocations'][0]['id']}/undo"
    await billing.post(undo, 200, reason="another one's")
    assert (await figures(billing))["tax"] in (-249, -250, -248)
    await billing.post(f"/payments/{first['id']}/allocate", 200, allocations=[{"invoice_id": asked["id"]}])

    half = await shipped(billing, order, "5", "0")
    assert [(each["number"], each["net"], each["tax"]) for each in half["prepayments"]] == [
        (asked["number"], 3_000, 300)
    ]
    assert (half["total"], half["prepaid"], half["open"], half["status"]) == (5_500, 3_300, 2_200, "issued")
    assert await figures(billing) == {"owed": 2_200, "ahead": -1_500, "tax": -620, "revenue": -5_000}
    rest = await shipped(billing, order)
    assert (rest["total"], rest["prepaid"], rest["open"]) == (10_900, 1_620, 9_280)
    assert await figures(billing) == {"owed": 11_480, "tax": -1_400, "revenue": -15_000}
    told = [each.event for each in await billing.h.published("accounting.invoice.issued")]
    amounts = [(each.net, each.tax) for event in told if isinstance(event, InvoiceIssued) for each in event.orders]
    assert amounts == [(5_000, 500), (10_000, 900)], "the order is invoiced once, and a prepayment is none of it"
    for invoice in (asked, rest):
        made = await billing.h.client.get(f"/v1/accounting/invoices/{invoice['id']}/document")
        assert made.content.startswith(b"%PDF-"), made.text
    of_order = await billing.get("/invoices", order_id=str(order.id))
    assert {each["id"] for each in of_order["items"]} == {asked["id"], half["id"], rest["id"]}


async def test_what_was_deducted_is_given_back_and_nothing_is_left(billing: Billing) -> None:
    bank = await billing.bank()
    order = await billing.order(*TWO_RATES)
    asked = await ahead(billing, order, amount=16_400)
    await billing.pay(bank, 16_400, asked)
    invoice = await shipped(billing, order)
    assert (invoice["open"], invoice["status"], invoice["prepaid"]) == (0, "paid", 16_400)
    assert await figures(billing) == {"tax": -1_400, "revenue": -15_000}
    line = invoice["lines"][0]["id"]
    await credit(billing, invoice, lines=[{"line_id": line, "quantity": "1"}])
    now = await billing.read(invoice)
    assert (now["prepaid"], now["credited"], now["open"]) == (15_300, 1_100, 0)
    # 1,100 of what was received is for no supply again, and its tax is due all the same: of the last rate that was deducted.
    assert await figures(billing) == {"ahead": -1_019, "tax": -1_300 - 81, "revenue": -14_000}
    await credit(billing, invoice)
    assert (await billing.read(invoice))["status"] == "credited"
    assert await figures(billing) == {"ahead": -15_000, "tax": -1_400}
    await credit(billing, asked, 422, lines=[{"line_id": asked["lines"][0]["id"], "net": 5}])
    await credit(billing, asked)
    assert await figures(billing) == {"credit": -16_400}
    await billing.post("/refunds", bank_account_id=bank, customer_id=str(billing.ada), reason="called off")
    assert await billing.balances() == {}


async def test_an_order_is_paid_no_further_than_it_is_invoiced(billing: Billing) -> None:
    """An order adds up what invoices of it say: what is asked for, and what of that is paid."""
    bank = await billing.bank()
    order = await billing.order(("10", 10_000, "0.1"))
    asked = await ahead(billing, order, share="1")
    await billing.pay(bank, 11_000, asked)
    invoice = await shipped(billing, order)
    for lines, left in (([{"line_id": invoice["lines"][0]["id"], "quantity": "4"}], 6_600), ([], 0)):
        await credit(billing, invoice, lines=lines)
        invoiced = paid = 0
        for event in [each.event for each in await billing.h.published()]:
            if isinstance(event, InvoiceIssued | CreditNoteIssued):
                sign = 1 if isinstance(event, InvoiceIssued) else -1
                invoiced += sign * sum(each.net + each.tax for each in event.orders)
            if isinstance(event, InvoicePaid | InvoiceReopened):
                sign = 1 if isinstance(event, InvoicePaid) else -1
                paid += sign * sum(each.net + each.tax for each in event.orders)
        assert (invoiced, paid) == (left, left)


async def test_what_was_paid_ahead_at_a_rate_that_changed_is_deducted_all_the_same(billing: Billing) -> None:
    bank = await billing.bank()
    order = await billing.order(("10", 10_000, "0.19"))
    asked = await ahead(billing, order, share="0.5")
    await billing.pay(bank, 5_950, asked)
    reopened = OrderReopened(order_id=order.id, number=order.event.number, revision=2)
    await billing.h.deliver(reopened, aggregate_id=order.id)
    (line,) = order.event.lines
    lower = line.model_copy(update={"tax_rate": Decimal("0.16"), "tax": 1_600})
    order.event = order.event.model_copy(update={"lines": [lower], "tax": 1_600, "revision": 2})
    await billing.h.deliver(order.event, aggregate_id=order.id)
    body = {"order_id": str(order.id), "prepayment": {"amount": 5_651}}
    assert (await billing.post("/invoices", 409, **body))["type"] == f"{PROBLEM}too-much-prepaid"
    invoice = await shipped(billing, order)
    assert (invoice["total"], invoice["prepaid"], invoice["open"]) == (11_600, 5_950, 5_650)
    assert [(each["net"], each["tax"]) for each in invoice["prepayments"]] == [(5_000, 950)]
    assert await figures(billing) == {"owed": 5_650, "tax": -1_600, "revenue": -10_000}
    await credit(billing, invoice)
    await credit(billing, asked)
    assert await figures(billing) == {"credit": -5_950}


async def test_nothing_is_asked_for_ahead_of_an_order_that_was_cancelled(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    body = {"order_id": str(order.id), "prepayment": {"share": "0.5"}}
    await billing.put("/dunning-policy", levels=[{"days": 1}])
    draft = await billing.post("/invoices", **body)
    earlier = (today() - timedelta(days=2)).isoformat()
    due = await billing.issue(await billing.post("/invoices", **body, payment_terms_days=0), dated=earlier)
    shipment = await billing.ship(order, "2")
    await billing.h.deliver(OrderCancelled(order_id=order.id, reason="called off"), aggregate_id=order.id)
    refused = await billing.post("/invoices", 422, **body)
    assert [each["field"] for each in refused["errors"]] == ["/order_id"]
    assert (await billing.post(f"/invoices/{draft['id']}/issue", 409))["type"] == f"{PROBLEM}invoice-state"
    reminded = await billing.post("/dunning-notices", 409, invoice_id=due["id"])
    assert reminded["type"] == f"{PROBLEM}nothing-to-remind"
    left = await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    assert left["net"] == 2_000, "what had left is invoiced all the same"


async def give_up(billing: Billing, order: Ordered, *quantities: str) -> None:
    """So much of each line is not wanted any more, in all."""
    lines = [
        LineQuantity(line_id=line.line_id, quantity=Decimal(quantity))
        for line, quantity in zip(order.event.lines, quantities, strict=True)
        if quantity != "0"
    ]
    rest = OrderRestCancelled(order_id=order.id, reason="It is not in stock.", lines=lines)
    await billing.h.deliver(rest, aggregate_id=order.id)


async def test_what_was_paid_ahead_of_what_was_given_up_is_the_customers_again(billing: Billing) -> None:
    bank = await billing.bank()
    order = await billing.order(*TWO_RATES)
    asked = await ahead(billing, order, share="1")
    await billing.pay(bank, 16_400, asked)
    await give_up(billing, order, "4", "1")
    invoice = await shipped(billing, order, "6", "0")
    assert (invoice["total"], invoice["prepaid"], invoice["status"]) == (6_600, 6_600, "paid")
    assert await figures(billing) == {"ahead": -9_000, "tax": -600 - 800, "revenue": -6_000}
    note = await credit(billing, asked)
    assert (note["net"], note["tax"]) == (9_000, 800)
    assert await figures(billing) == {"tax": -600, "revenue": -6_000, "credit": -9_800}
    refund = await billing.post("/refunds", bank_account_id=bank, customer_id=str(billing.ada), reason="given up")
    assert refund["amount"] == 9_800
    body = {"order_id": str(order.id), "prepayment": {"amount": 1}}
    assert (await billing.post("/invoices", 409, **body))["type"] == f"{PROBLEM}too-much-prepaid"


async def test_nothing_is_asked_for_ahead_of_what_is_never_going_to_leave(billing: Billing) -> None:
    order = await billing.order(*TWO_RATES)
    body = {"order_id": str(order.id), "prepayment": {"amount": 16_400}}
    draft = await billing.post("/invoices", **body)
    await give_up(billing, order, "4", "0")
    refused = await billing.post(f"/invoices/{draft['id']}/issue", 409)
    assert (refused["type"], "4400 more" in refused["detail"]) == (f"{PROBLEM}too-much-prepaid", True)
    assert (await billing.h.client.delete(f"/v1/accounting/invoices/{draft['id']}")).status_code == 204
    assert (await billing.post("/invoices", 409, **body))["type"] == f"{PROBLEM}too-much-prepaid"
    # Two more come back before they are invoiced, and what is invoiced and taken back has left all the same.
    shipment = await billing.ship(order, "5", "0")
    await settle(billing, order, shipment, "2")
    await credit(billing, await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)])))
    body["prepayment"] = {"amount": 16_400 - 4_400 - 5_500 + 1}
    assert (await billing.post("/invoices", 409, **body))["type"] == f"{PROBLEM}too-much-prepaid"
    body["prepayment"] = {"amount": 16_400 - 4_400 - 5_500}
    rest = await billing.post("/invoices", **body)
    assert [(line["net"] + line["tax"], line["tax_rate"]) for line in rest["lines"]] == [
        (1_100, "0.1"),
        (5_400, "0.08"),
    ]
    # What is invoiced between its draft and its issue is not asked for twice.
    await shipped(billing, order, "0", "1")
    assert (await billing.post(f"/invoices/{rest['id']}/issue", 409))["type"] == f"{PROBLEM}too-much-prepaid"
    # An order that is changed wants what it says then.
    reopened = OrderReopened(order_id=order.id, number=order.event.number, revision=2)
    other = await billing.order(("10", 10_000, "0.1"))
    await give_up(billing, other, "9")
    await billing.h.deliver(reopened.model_copy(update={"order_id": other.id}), aggregate_id=other.id)
    await billing.h.deliver(other.event.model_copy(update={"revision": 2}), aggregate_id=other.id)
    whole = await billing.post("/invoices", order_id=str(other.id), prepayment={"share": "1"})
    assert whole["total"] == 11_000


async def test_tax_stays_due_by_the_supply_when_the_bank_takes_the_money_back(billing: Billing) -> None:
    bank = await billing.bank()
    order = await billing.order(("10", 10_000, "0.1"))
    asked = await ahead(billing, order, share="0.5")
    payment = await billing.pay(bank, 4_400, asked)
    invoice = await shipped(billing, order, "8")
    assert (invoice["total"], invoice["prepaid"]) == (8_800, 4_400)
    await billing.post(f"/payments/{payment['id']}/return", 200, reason="no cover")
    assert (await billing.read(asked))["open"] == 5_500
    assert await figures(billing) == {"owed": 9_900, "ahead": -1_000 - 100, "tax": -800, "revenue": -8_000}
    await credit(billing, asked)
    assert (await billing.read(asked))["open"] == 4_400, "what was deducted is still owed"
    await credit(billing, invoice)
    # It was not paid after all: no tax is due on it, and it can be taken back.
    assert await figures(billing) == {"owed": 4_400, "ahead": -4_400}
    await credit(billing, asked)
    assert await billing.balances() == {}


async def test_no_more_is_asked_for_ahead_than_is_left(billing: Billing) -> None:
    order = await billing.order(*TWO_RATES)
    body = {"order_id": str(order.id), "prepayment": {"share": "0.6"}}
    answers = await asyncio.gather(*[billing.h.client.post("/v1/accounting/invoices", json=body) for _ in range(3)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert {each.json()["type"] for each in answers if each.status_code == 409} == {f"{PROBLEM}too-much-prepaid"}
    draft = next(each.json() for each in answers if each.status_code == 201)
    at = f"/v1/accounting/invoices/{draft['id']}"
    changed = await billing.put(f"/invoices/{draft['id']}", payment_terms_days=3, notes="Soon, please.")
    assert (changed["total"], changed["notes"]) == (draft["total"], "Soon, please.")
    fee = {"name": "Fee", "quantity": "1", "unit_price": "100", "tax_rate": "0.1"}
    await billing.put(f"/invoices/{draft['id']}", 422, payment_terms_days=3, lines=[fee])
    assert (await billing.h.client.delete(at)).status_code == 204
    await shipped(billing, order, "5", "0")
    assert (await billing.post("/invoices", 409, order_id=str(order.id), prepayment={"amount": 10_901}))[
        "type"
    ] == f"{PROBLEM}too-much-prepaid"
    await billing.post("/invoices", order_id=str(order.id), prepayment={"amount": 10_900})
    for wrong in ({"share": "0.1", "amount": 5}, {"share": "1.1"}, {"amount": 0}, {}):
        await billing.post("/invoices", 422, order_id=str(order.id), prepayment=wrong)
    await billing.post("/invoices", 422, customer_id=str(billing.ada), prepayment={"amount": 5})
    nothing = await billing.order(("1", 1, "0"))
    assert (await billing.post("/invoices", 409, order_id=str(nothing.id), prepayment={"share": "0.1"}))["type"] == (
        f"{PROBLEM}nothing-to-invoice"
    )


async def test_where_goods_are_taxed_when_they_leave_a_prepayment_is_not(billing: Billing) -> None:
    bank = await billing.bank()
    said = await billing.get("/billing")
    await billing.put("/billing", **{**said, "prepayments_taxed": "supplied"})
    order = await billing.order(*TWO_RATES)
    asked = await ahead(billing, order, share="0.5")
    await billing.pay(bank, 8_200, asked)
    assert await figures(billing) == {"ahead": -8_200}
    invoice = await shipped(billing, order)
    assert (invoice["prepaid"], sum(each["tax"] for each in invoice["prepayments"])) == (8_200, 700)
    assert await figures(billing) == {"owed": 8_200, "tax": -1_400, "revenue": -15_000}


async def test_whatever_comes_first_an_order_is_paid_once_and_taxed_once(billing: Billing) -> None:
    """Prepayments, payments, shipments and returns by the bank in any order: in the end all is paid, and every account is what the order says."""
    dice = random.Random(51)
    bank = await billing.bank()
    for _ in range(3):
        order, asked, invoices = await traded(billing, bank, dice)
        taxes = sum(each["tax"] for each in invoices)
        books = await billing.balances()
        assert (books.pop("4000"), books.pop("2200", 0)) == (-order.event.net, -taxes)
        left = -books.pop("2300", 0)
        assert list(books.values()) == [order.event.net + taxes + left], books
        # The next order begins with empty books.
        for invoice in (*invoices, *asked):
            if (now := await billing.read(invoice))["credited"] < now["total"]:
                await credit(billing, invoice)
        await billing.post("/refunds", bank_account_id=bank, customer_id=str(billing.ada), reason="called off")
        assert await billing.balances() == {}


async def traded(
    billing: Billing, bank: str, dice: random.Random
) -> tuple[Ordered, list[dict[str, Any]], list[dict[str, Any]]]:
    """An order that left and is paid, its prepayment invoices, and the invoices of what left."""
    lines = [(str(dice.randint(2, 9)), dice.randint(50, 9_999), dice.choice(["0.1", "0.08", "0"])) for _ in range(3)]
    order = await billing.order(*lines)
    asked = [await ahead(billing, order, share=str(dice.choice([0.1, 0.25, 0.33]))) for _ in range(2)]
    payments = [await billing.pay(bank, dice.randint(1, each["total"]), each) for each in asked]
    cut = [str(dice.randint(0, int(quantity) - 1)) for quantity, _, _ in lines]
    invoices = [await shipped(billing, order, *cut)] if set(cut) != {"0"} else []
    await billing.post(f"/payments/{dice.choice(payments)['id']}/return", 200, reason="no cover")
    await pay_rest(billing, bank, dice.sample(asked, 1))
    invoices.append(await shipped(billing, order))
    for each in asked:
        now = await billing.read(each)
        if now["open"] and sum(line["deducted"] for line in now["lines"]) + now["credited"] < now["total"]:
            await credit(billing, each)
    await pay_rest(billing, bank, [*asked, *invoices])
    return order, asked, invoices


async def pay_rest(billing: Billing, bank: str, invoices: list[dict[str, Any]]) -> None:
    for each in invoices:
        open_ = (await billing.read(each))["open"]
        if open_ > 0:
            await billing.pay(bank, open_, each)
