"""Every operation of accounting once: chart and accounts, periods that are locked and opened, journals that are posted and reversed, reports."""

from datetime import UTC, datetime
from decimal import Decimal

from invariants.walk import Walker

from contracts.inventory import StockReceived
from tailrace.core.ids import uuid7

V1 = "/v1/accounting"


async def walk(w: Walker) -> None:
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
