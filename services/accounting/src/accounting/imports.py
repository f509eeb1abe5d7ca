"""What a company brings from another system, from files, through the commands that HTTP uses: opening balances, a row for each line, those of one
journal one after another; and what is open of its invoices."""

from collections.abc import Collection, Mapping
from uuid import UUID

from accounting import posting
from accounting.bodies import NewControlAdjustment
from accounting.books import role_map
from accounting.days import days
from accounting.invoices import opening
from accounting.invoices.bodies import NewOpenInvoice
from accounting.invoices.copies import CustomerCopy
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable, Reference


async def _create(tx: Tx, body: NewControlAdjustment) -> UUID:
    """An adjustment where a line is on a control account, which needs its reason; a journal where none is."""
    lines = [line.line() for line in body.lines]
    control = (await role_map(tx)).control
    reason = body.reason if any(line.account in control for line in lines) else None
    at = await days.begin_if_said(tx, body.effective_at)
    return await posting.post_manual(tx, body.text, lines, at, adjustment_reason=reason)


async def _customers(tx: Tx, numbers: Collection[str]) -> Mapping[str, UUID]:
    return {number: copy.id for number, copy in (await by_code(tx, CustomerCopy, numbers)).items()}


opening_balances = Importable(
    service="accounting",
    name="opening-balances",
    body=NewControlAdjustment,
    columns=[
        column("text", "Text", "摘要"),
        column("reason", "Reason", "理由"),
        column("effective_at", "Effective at", "基準日時"),
        column("lines.account", "Account", "勘定科目", "科目コード"),
        column("lines.currency", "Currency", "通貨"),
        column("lines.debit", "Debit", "借方"),
        column("lines.credit", "Credit", "貸方"),
        column("lines.text", "Line text", "明細摘要"),
    ],
    create=_create,
    days=days,
    key=lambda body: f"{body.text}\n{body.effective_at or ''}",
    lines="lines",
    document=("text", "effective_at"),
    given={"reason": "Opening balances"},
)

open_invoices = Importable(
    service="accounting",
    name="open-invoices",
    body=NewOpenInvoice,
    columns=[
        column("number", "Number", "請求書番号"),
        column("customer_id", "Customer id"),
        column("dated", "Dated", "請求日"),
        column("due_on", "Due on", "支払期日"),
        column("currency", "Currency", "通貨"),
        column("open", "Open", "未回収額"),
        column("tax_code", "Tax code", "税区分"),
        column("tax_rate", "Tax rate", "税率"),
        column("customer_reference", "Customer reference", "顧客注文番号"),
        column("taken_over_on", "Taken over on", "引継日"),
    ],
    references=[Reference(column("customer_number", "Customer number", "顧客番号"), "customer_id", _customers)],
    create=opening.take_over,
    key=lambda body: str(body.number),
)
