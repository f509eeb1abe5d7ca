"""Every operation of accounting once: the chart, periods, journals and reports; then invoices, and what is paid for them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from invariants.walk import Walker

from contracts import customers, orders, returns, shipments
from contracts.inventory import StockReceived
from contracts.users import TenantCreated
from tailrace.core.clock import now
from tailrace.core.ids import uuid7

V1 = "/v1/accounting"


async def walk(w: Walker) -> None:
    await _keeps_books(w)
    await _sells(w)


async def _keeps_books(w: Walker) -> None:
    await w.put(f"{V1}/chart", {"chart": "general"})
    await w.get(f"{V1}/charts")
    await w.get(f"{V1}/chart")
    account = {"code": "6100", "name": "Rent", "kind": "expense"}
    made = await w.post(f"{V1}/accounts", account)
    await w.get(f"{V1}/accounts")
    await w.get(f"{V1}/accounts/{{id}}", id=made["id"])
    await w.put(f"{V1}/accounts/{{id}}", {"name": "Office rent"}, id=made["id"])

    january = {"name": "2026-01", "first_day": "2026-01-01", "last_day": "2026-01-31"}
    period = await w.post(f"{V1}/periods", january)
    await w.post(f"{V1}/periods", {"name": "2026-02", "first_day": "2026-02-01", "last_day": "2026-02-28"})
    await w.get(f"{V1}/periods")
    await w.get(f"{V1}/periods/{{id}}", id=period["id"])
    await w.post(f"{V1}/periods/{{id}}/lock", id=period["id"])
    await w.post(f"{V1}/periods/{{id}}/unlock", {"reason": "a late bill"}, id=period["id"])

    lines = [
        {"account": "6000", "currency": "EUR", "debit": 900},
        {"account": "1000", "currency": "EUR", "credit": 900},
    ]
    rent = {"text": "Rent", "effective_at": "2026-01-20T12:00:00Z", "lines": lines}
    journal = await w.post(f"{V1}/journals", rent)
    await w.get(f"{V1}/journals")
    await w.get(f"{V1}/journals/{{id}}", id=journal["id"])
    await w.post(f"{V1}/journals/{{id}}/reverse", {"reason": "paid twice"}, id=journal["id"])
    await w.put(f"{V1}/journal-limits", {"limits": [{"currency": "JPY", "amount": 100}]})
    await w.get(f"{V1}/journal-limits")
    above = {"text": "Rent", "lines": [{**line, "currency": "JPY"} for line in lines]}
    drafts = [await w.post(f"{V1}/journal-drafts", above) for _ in range(2)]
    await w.get(f"{V1}/journal-drafts")
    await w.get(f"{V1}/journal-drafts/{{draft_id}}", draft_id=drafts[0]["id"])
    await w.post(f"{V1}/journal-drafts/{{draft_id}}/withdraw", {"reason": "paid already"}, draft_id=drafts[0]["id"])
    stock = StockReceived(
        item_id=uuid7(),
        warehouse_id=uuid7(),
        layer_id=uuid7(),
        quantity=Decimal(1),
        value=500,
        currency="EUR",
        reason="purchase",
        effective_at=datetime(2026, 1, 19, 12, tzinfo=UTC),
    )
    await w.tell(stock, aggregate_id=stock.layer_id)
    (came,) = (await w.get(f"{V1}/journals", query={"source_id": str(stock.layer_id)}))["items"]
    await w.post(f"{V1}/journals/{{id}}/adjust", {"reason": "it never came"}, id=came["id"])
    billed = [{"account": "2110", "currency": "EUR", "debit": 5}, {"account": "2100", "currency": "EUR", "credit": 5}]
    bill = {"text": "Bill of a supplier", "effective_at": "2026-01-21T12:00:00Z", "reason": "it came", "lines": billed}
    adjusted = await w.post(f"{V1}/adjustments", bill)
    await w.get(f"{V1}/adjustments")
    await w.get(f"{V1}/adjustments/{{id}}", id=adjusted["id"])
    await w.post(f"{V1}/chart/roles", {"since": "2026-02-01", "roles": [{"role": "stock_usage", "account": "6000"}]})
    await w.post(f"{V1}/periods/{{id}}/close", {"year_end": False}, id=period["id"])
    await w.post(f"{V1}/periods/{{id}}/reopen", {"reason": "the auditor asked"}, id=period["id"])
    await w.get(f"{V1}/trial-balance")
    await w.get(f"{V1}/ledger/{{account}}", account="6000")
    await w.get(f"{V1}/integrity")
    await w.get(f"{V1}/rules")
    await w.delete(f"{V1}/accounts/{{id}}", id=made["id"])
    await w.post(f"{V1}/accounts/{{id}}/restore", id=made["id"])
    await w.imports(
        "/v1/accounting/opening-balances/import",
        "/v1/accounting/jobs",
        "text,account,currency,debit,credit\nOpening,9,EUR,1,0\n,9,EUR,0,1\n",
        "text,account,currency,debit,credit\nOpening 2,9,EUR,1,0\n,9,EUR,0,1\n",
    )


async def _sells(w: Walker) -> None:
    """Goods that left are invoiced, credited, paid for and reminded of; a bank's statement says the rest."""
    await w.tell(
        TenantCreated(tenant_id=w.tenant, slug="hagane", name="Hagane Works", currency="EUR", country="DE"),
        aggregate_id=w.tenant,
    )
    ada = uuid7()
    address = customers.PostalAddress(use="billing", lines=["12 Analytical Row"], city="Lyon", country="FR")
    said = {"kind": "company", "status": "active", "currency": "EUR", "payment_terms_days": 1, "addresses": [address]}
    told = customers.CustomerCreated(customer_id=ada, number="C-1", name="Ada Works", **said)
    await w.tell(told, aggregate_id=ada)
    issuer = {"lines": ["1 Mill Lane"], "city": "Hamburg", "country": "DE", "tax_id": "DE123456788"}
    await w.put(f"{V1}/billing", {"issuer": {**issuer, "electronic_address": "9930:DE123456788"}})
    await w.get(f"{V1}/billing")
    terms = f"{V1}/billing/customers/{{customer_id}}"
    await w.put(terms, {"electronic_address": "9957:FR32123456789"}, customer_id=ada)
    await w.get(terms, customer_id=ada)

    invoices, here = f"{V1}/invoices", f"{V1}/invoices/{{invoice_id}}"
    left = [await _delivered(w, ada) for _ in range(3)]
    dropped = await w.post(invoices, {"shipment_ids": [str(left[0])]})
    await w.put(here, {"payment_terms_days": 3, "notes": "Thank you."}, invoice_id=dropped["id"])
    await w.delete(here, invoice_id=dropped["id"])
    issued = []
    for shipment in left:
        draft = await w.h.client_as(tenant=w.tenant, user=w.user).post(invoices, json={"shipment_ids": [str(shipment)]})
        dated = {"dated": (now() - timedelta(days=9)).date().isoformat()}
        issued.append(await w.post(f"{here}/issue", dated, invoice_id=draft.json()["id"]))
    await w.get(invoices)
    first = {"invoice_id": issued[0]["id"]}
    await w.get(here, **first)
    await w.get(f"{here}/document", **first)
    await w.get(f"{here}/ubl", **first)

    notes = f"{V1}/credit-notes"
    line = {"line_id": issued[0]["lines"][0]["id"], "net": 10}
    note = await w.post(f"{here}/credit-notes", {"reason": "scratched", "lines": [line]}, **first)
    await w.post(f"{here}/credit-notes", {"reason": "scratched too", "lines": [line]}, **first)
    await w.get(notes)
    await w.get(f"{notes}/{{credit_note_id}}", credit_note_id=note["id"])
    await w.get(f"{notes}/{{credit_note_id}}/document", credit_note_id=note["id"])
    await w.get(f"{notes}/{{credit_note_id}}/ubl", credit_note_id=note["id"])
    await _comes_back(w, ada)
    await _is_paid(w, ada, issued)
    await _is_paid_back(w, ada)
    await _is_reminded(w, issued)
    await _is_taken_over(w, ada)
    await w.pump()
    await w.get(f"{V1}/receivables/ageing")
    await w.get(f"{V1}/receivables/{{customer_id}}/statement", customer_id=ada)


async def _is_taken_over(w: Walker, ada: UUID) -> None:
    """What was open in the system that the company came from."""
    said = {"dated": "2025-11-20", "due_on": "2025-12-20", "currency": "EUR", "open": 1_190}
    await w.post(f"{V1}/open-invoices", {"number": "RE-1", "customer_id": str(ada), **said})
    head, row = "Number,Customer number,Dated,Due on,Currency,Open", "C-1,2025-11-20,2025-12-20,EUR,1190"
    files = [f"{head}\n{number},{row}\n" for number in ("RE-2", "RE-3")]
    await w.imports(f"{V1}/open-invoices/import", f"{V1}/jobs", *files)


async def _comes_back(w: Walker, customer_id: UUID) -> None:
    """One piece of what left and is on no invoice."""
    gone = await _left(w, customer_id)
    line = returns.ReturnToSettle(shipment_id=gone.shipment_id, line_id=gone.lines[0].line_id, quantity=Decimal(1))
    asked = returns.ReturnSettlementRequested(
        return_id=uuid7(),
        order_id=gone.order_id,
        settlement_id=uuid7(),
        number="RT-000001",
        reason="Broken",
        currency="EUR",
        lines=[line],
    )
    await w.tell(asked, aggregate_id=asked.return_id)


async def _is_paid(w: Walker, ada: UUID, issued: list[dict[str, Any]]) -> None:
    banks = f"{V1}/bank-accounts"
    bank = await w.post(banks, {"code": "HB", "name": "House bank", "currency": "EUR", "account": "1000"})
    one = {"bank_account_id": bank["id"]}
    here = {"bank_account_id": bank["id"]}
    other = await w.post(banks, {"code": "OB", "name": "Other bank", "currency": "EUR", "account": "1000"})
    await w.get(banks)
    await w.get(f"{banks}/{{bank_account_id}}", **here)
    said = {"code": "HB", "name": "The bank", "currency": "EUR", "account": "1000"}
    await w.put(f"{banks}/{{bank_account_id}}", said, **here)
    await w.delete(f"{banks}/{{bank_account_id}}", bank_account_id=other["id"])
    await w.post(f"{banks}/{{bank_account_id}}/restore", bank_account_id=other["id"])

    rates = f"{V1}/rates"
    rate = await w.put(rates, {"currency": "EUR", "against": "JPY", "day": "2026-01-01", "rate": "160"})
    await w.h.client_as(tenant=w.tenant, user=w.user).put(
        rates, json={"currency": "USD", "against": "EUR", "day": "2026-01-01", "rate": "0.9"}
    )
    await w.get(rates)
    await w.get(f"{rates}/{{rate_id}}", rate_id=rate["id"])

    await w.pump()
    valued = [(now() - timedelta(days=ago)).date().isoformat() for ago in (1, 3)]
    one_day, _ = [await w.post(f"{V1}/revaluations", {"day": day}) for day in valued]
    await w.get(f"{V1}/revaluations")
    await w.get(f"{V1}/revaluations/{{revaluation_id}}", revaluation_id=one_day["id"])

    payments, it = f"{V1}/payments", f"{V1}/payments/{{payment_id}}"
    paid = await w.post(payments, {**one, "amount": 500, "allocations": [{"invoice_id": issued[0]["id"]}]})
    ids = {"payment_id": paid["id"], "allocation_id": paid["allocations"][0]["id"]}
    await w.post(f"{it}/allocations/{{allocation_id}}/undo", {"reason": "another one's"}, **ids)
    await w.post(f"{it}/allocate", {"allocations": [{"invoice_id": issued[1]["id"]}]}, payment_id=paid["id"])
    unknown = await w.post(payments, {**one, "amount": 70, "payer_name": "Somebody"})
    await w.post(f"{it}/assign", {"customer_id": str(ada)}, payment_id=unknown["id"])
    await w.post(f"{it}/reverse", {"reason": "returned"}, payment_id=unknown["id"])
    await w.get(payments)
    await w.get(it, payment_id=paid["id"])

    statements, lines = f"{V1}/bank-statements", f"{V1}/bank-lines"
    today = now().date().isoformat()
    text = f"value_day,amount,reference\n{today},1.00,{issued[1]['number']}\n{today},-2.00,Fees\n"
    read = await w.post(statements, {**one, "format": "csv", "content": text})
    await w.post(statements, {**one, "format": "csv", "content": f"value_day,amount\n{today},3.00\n"})
    await w.get(statements)
    await w.get(f"{statements}/{{bank_statement_id}}", bank_statement_id=read["id"])
    found = (await w.get(lines, query={"bank_statement_id": read["id"]}))["items"]
    came, went = sorted(found, key=lambda each: -each["amount"])
    await w.get(f"{lines}/{{bank_line_id}}", bank_line_id=came["id"])
    await w.get(f"{lines}/{{bank_line_id}}/suggestions", bank_line_id=came["id"])
    allocations = {"allocations": [{"invoice_id": issued[1]["id"]}]}
    await w.post(f"{lines}/{{bank_line_id}}/confirm", allocations, bank_line_id=came["id"])
    await w.post(f"{lines}/{{bank_line_id}}/dismiss", {"reason": "the bank's fees"}, bank_line_id=went["id"])


async def _is_paid_back(w: Walker, ada: UUID) -> None:
    yen = await w.h.client_as(tenant=w.tenant, user=w.user).post(
        f"{V1}/bank-accounts", json={"code": "YB", "name": "Yen bank", "currency": "JPY", "account": "1000"}
    )
    payments, bank = f"{V1}/payments", yen.json()["id"]
    came = {"bank_account_id": bank, "amount": 400, "customer_id": str(ada)}
    gone = await w.h.client_as(tenant=w.tenant, user=w.user).post(payments, json={**came, "amount": 90})
    await w.post(f"{payments}/{{payment_id}}/return", {"reason": "no cover"}, payment_id=gone.json()["id"])
    await w.h.client_as(tenant=w.tenant, user=w.user).post(payments, json=came)
    refunds, here = f"{V1}/refunds", f"{V1}/refunds/{{refund_id}}"
    asked = {"bank_account_id": bank, "customer_id": str(ada), "reason": "paid too much"}
    small = await w.post(refunds, {**asked, "amount": 10})
    # Above the company's limit, which is 100 yen here.
    above = await w.h.client_as(tenant=w.tenant, user=w.user).post(refunds, json={**asked, "amount": 200})
    await w.get(refunds)
    await w.get(here, refund_id=small["id"])
    await w.post(f"{here}/return", {"reason": "account closed"}, refund_id=small["id"])
    await w.post(f"{here}/withdraw", {"reason": "kept for later"}, refund_id=above.json()["id"])


async def _is_reminded(w: Walker, issued: list[dict[str, Any]]) -> None:
    levels = [{"days": 3, "text": "Please pay."}, {"days": 6, "fee": 500, "fee_currency": "EUR"}]
    await w.put(f"{V1}/dunning-policy", {"levels": levels[:1]})
    await w.get(f"{V1}/dunning-policy")
    notices = f"{V1}/dunning-notices"
    notice = await w.post(notices, {"invoice_id": issued[2]["id"]})
    await w.h.client_as(tenant=w.tenant, user=w.user).put(f"{V1}/dunning-policy", json={"levels": levels})
    await w.post(notices, {"invoice_id": issued[2]["id"]})
    await w.get(notices)
    await w.get(f"{notices}/{{dunning_notice_id}}", dunning_notice_id=notice["id"])
    await w.get(f"{notices}/{{dunning_notice_id}}/document", dunning_notice_id=notice["id"])


async def _delivered(w: Walker, customer_id: UUID) -> UUID:
    return (await _left(w, customer_id, now() - timedelta(days=9))).shipment_id


async def _left(w: Walker, customer_id: UUID, at: datetime | None = None) -> shipments.ShipmentDispatched:
    """An order of one line, all of which has left."""
    line, item, north, order, shipment = (uuid7() for _ in range(5))
    about: dict[str, Any] = {"line_id": line, "item_id": item, "sku": "BOLT", "name": "Bolt", "warehouse_id": north}
    ordered = orders.OrderLine(
        **about, quantity=Decimal(4), unit="pcs", unit_price=Decimal(250), net=1_000, tax_rate=Decimal("0.1"), tax=100
    )
    confirmed = orders.OrderConfirmed(
        order_id=order,
        number=f"SO-{order.hex[-6:]}",
        customer_reference="PO-7",
        customer_name="Ada Works",
        customer_id=customer_id,
        currency="EUR",
        net=1_000,
        tax=100,
        lines=[ordered],
        ordered_at=now(),
    )
    await w.tell(confirmed, aggregate_id=order)
    left = shipments.DispatchedLine(
        **about,
        quantity=Decimal(4),
        line_quantity=Decimal(4),
        line_net=1_000,
        line_tax=100,
        dispatched_before=Decimal(0),
    )
    gone = shipments.ShipmentDispatched(
        shipment_id=shipment,
        order_id=order,
        reservation_id=uuid7(),
        number=f"{confirmed.number}-1",
        currency="EUR",
        lines=[left],
        dispatched_at=at or now(),
    )
    await w.tell(gone, aggregate_id=shipment)
    return gone
