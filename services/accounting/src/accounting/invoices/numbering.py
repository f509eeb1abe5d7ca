"""How invoices and credit notes are numbered: without a gap, and in the order of their days.

The company's billing policy says how they are written, or else its template, or else what is built in. Numbers count on when the form changes: within
the year where it shows the series, which is the year, and else from one year to the next.
"""

from collections.abc import Collection
from datetime import date
from typing import Literal

from sqlalchemy import bindparam, func, select

from accounting.invoices import policy
from accounting.invoices.copies import settings
from accounting.invoices.credit import CreditNote
from accounting.invoices.models import Invoice
from accounting.invoices.refusals import OutOfOrder
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

_Kind = Literal["invoice", "credit_note"]
_TABLES: dict[_Kind, type[Invoice] | type[CreditNote]] = {"invoice": Invoice, "credit_note": CreditNote}
_BUILT_IN = {"invoice": "INV-{series}-{number:05}", "credit_note": "CN-{series}-{number:05}"}
_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))


async def next_number(tx: Tx, kind: _Kind, day: date, *, said: bool) -> tuple[str, date]:
    """The next number, and the day that the document is of: `day`, or that of the last one where the company's days went back since.

    Call it last: the next one waits from here to this transaction's end. Raises OutOfOrder for a day that is `said`.
    """
    # One document after the other sees the numbers and the days before it, also where their forms differ.
    await tx.execute(_HOLD, {"lock": f"accounting.{kind}_numbers/{tx.tenant_id}"})
    numbers = Numbers(kind, await _form(tx, kind))
    table = _TABLES[kind]
    last = select(func.max(table.dated))
    if table is Invoice:
        # Those of another system are of series of their own.
        last = last.where(Invoice.taken_over_on.is_(None))
    if "{series}" in numbers.text:
        last = last.where(table.dated.between(date(day.year, 1, 1), date(day.year, 12, 31)))
    newest = await tx.scalar(last)
    if newest is not None and day < newest:
        if said:
            raise OutOfOrder(newest)
        # The company's days went back, to a time zone further west.
        day = newest

    async def taken(written: Collection[str]) -> Collection[str]:
        return list(await tx.scalars(select(table.number).where(table.number.in_(written))))

    return await numbers.next_free(tx, str(day.year), taken), day


async def _form(tx: Tx, kind: _Kind) -> str:
    """How a number is written."""
    if kind == "invoice" and (prefix := (await policy.policy_of(tx)).number_prefix) is not None:
        return f"{prefix}-{{series}}-{{number:05}}"
    return (await settings.effective(tx)).numbering.get(kind, _BUILT_IN[kind])
