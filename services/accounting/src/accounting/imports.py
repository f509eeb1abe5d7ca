"""Opening balances from files, through the commands that HTTP uses: a row for each line, those of one journal one after another."""

from uuid import UUID

from accounting import posting
from accounting.bodies import NewControlAdjustment
from accounting.books import role_map
from accounting.days import days
from tailrace.db.database import Tx
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable


async def _create(tx: Tx, body: NewControlAdjustment) -> UUID:
    """An adjustment where a line is on a control account, which needs its reason; a journal where none is."""
    lines = [line.line() for line in body.lines]
    control = (await role_map(tx)).control
    reason = body.reason if any(line.account in control for line in lines) else None
    at = await days.begin_if_said(tx, body.effective_at)
    return await posting.post_manual(tx, body.text, lines, at, adjustment_reason=reason)


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
