"""What is done with statements: read in, each line once, and said what each line is."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from accounting.bank import moving_back
from accounting.bank.bodies import BankLineConfirmation, NewBankStatement
from accounting.bank.matching import Suggestion, certain, lengths_of_numbers, suggest
from accounting.bank.models import BankLine, BankStatement
from accounting.bank.reading import read_camt, read_csv
from accounting.bank.refusals import LineState
from accounting.days import dates, days
from accounting.payments.bodies import AllocationBody, PaymentBody
from accounting.payments.commands import bank_account, enterable, receive
from tailrace.core.context import Principal
from tailrace.core.values.plausible import checked_day
from tailrace.core.values.text import shortened
from tailrace.db.database import Tx

_LONGEST = 200
"""Characters of a name, or a reference, in a payment: a bank may say more."""
_LONGEST_AGO, _FARTHEST_AHEAD = timedelta(days=10 * 366), timedelta(days=366)
"""How far from today the day of a line may lie, where the company says nothing: payments of it are taken for ten years, and it may count from a day
to come on."""


async def import_statement(tx: Tx, asked: NewBankStatement) -> BankStatement:
    """Read a file; the same one again changes nothing, and a line that another file had is left out. Raises NoStatement, Invalid, Implausible."""
    bank = await bank_account(tx, asked.bank_account_id, lock=True)
    digest = sha256(asked.content.encode()).hexdigest()
    same = select(BankStatement).where(BankStatement.bank_account_id == bank.id, BankStatement.sha256 == digest)
    known = (await tx.scalars(same)).one_or_none()
    if known is not None:
        return known
    if asked.format == "csv":
        said = read_csv(asked.content, bank.currency)
    else:
        said = read_camt(asked.content, bank.iban, bank.currency, await days.calendar(tx))
    today = await days.today(tx)
    first, last = await dates.days(tx, "bank_line", today, today - _LONGEST_AGO, today + _FARTHEST_AHEAD)
    for each in said.lines:
        for day in (each.booked_on, each.value_day):
            checked_day(day, first, last, "/content")
    keys = [line.key for line in said.lines]
    there = select(BankLine.line_key).where(BankLine.bank_account_id == bank.id, BankLine.line_key.in_(keys))
    earlier = set(await tx.scalars(there))
    fresh = [line for line in said.lines if line.key not in earlier]
    statement = BankStatement.read(bank.id, asked.format, digest, said, len(fresh))
    tx.add(statement)
    # Its lines refer to it, and nothing but the database knows.
    await tx.flush()
    lines = [BankLine.read(statement, bank.currency, line) for line in fresh]
    tx.add_all(lines)
    if asked.confirm_certain:
        lengths = await lengths_of_numbers(tx, bank.currency)
        for line in lines:
            # What the lines before it were matched with is taken by now, and the database is asked.
            await tx.flush()
            await _confirm_certain(tx, line, lengths)
    return statement


async def suggestions(tx: Tx, id: UUID) -> tuple[Sequence[Suggestion], Sequence[moving_back.MovedBack]]:
    """What a line may be for, and what may have moved back by it. Raises Unknown."""
    line = await tx.find(BankLine, id)
    if line.status != "open":
        return [], []
    return await suggest(tx, line), await moving_back.suggest(tx, line)


async def confirm(tx: Tx, who: Principal, id: UUID, match: int | None, asked: BankLineConfirmation) -> BankLine:
    """The line is a payment, or moved money back. Raises LineState, and what entering a payment does."""
    line = await tx.load(BankLine, id, match)
    line.after("matched")
    if await moving_back.confirm(tx, who, line, asked):
        return line
    if line.amount <= 0:
        raise LineState(f"Line {line.name} is no money that came in.")
    await _receive(tx, line, asked.customer_id, asked.allocations)
    return line


async def dismiss(tx: Tx, id: UUID, match: int | None, reason: str) -> BankLine:
    """The line is nothing that customers paid. Raises LineState."""
    line = await tx.load(BankLine, id, match)
    line.dismiss(reason)
    return line


async def _confirm_certain(tx: Tx, line: BankLine, lengths: Collection[int]) -> None:
    """Nobody is asked here: what cannot be entered today, as money that is to count from Monday on, waits with the others."""
    first, last = await enterable(tx)
    if not first <= line.value_day <= last:
        return
    if line.amount < 0:
        await moving_back.confirm_certain(tx, line)
    found = await certain(tx, line, lengths) if line.amount > 0 else []
    if found:
        allocations = [AllocationBody(invoice_id=each.id, amount=each.open) for each in found]
        await _receive(tx, line, found[0].customer_id, allocations)


async def _receive(tx: Tx, line: BankLine, customer_id: UUID | None, allocations: Sequence[AllocationBody]) -> None:
    body = PaymentBody(
        bank_account_id=line.bank_account_id,
        amount=line.amount,
        value_day=line.value_day,
        customer_id=customer_id,
        payer_name=shortened(line.payer_name or "", _LONGEST) or None,
        reference=shortened(line.reference or "", _LONGEST) or None,
        allocations=list(allocations),
    )
    payment = await receive(tx, body)
    line.match(payment_id=payment.id)
