"""What a line of a statement may be for: invoices whose number it names, whose amount it has, or whose customer is called as the payer is.

A suggestion is no decision: somebody confirms it. Only what names invoices that come to its amount exactly is taken without asking, where that is
wanted.
"""

import asyncio
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import add
from typing import Literal
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Text, Uuid, any_, bindparam, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import raiseload

from accounting.bank.models import BankLine
from accounting.invoices.models import UNPAID, Invoice
from accounting.naming import names, squeezed
from tailrace.db.database import Tx

Reason = Literal["reference", "amount", "name"]
SCORES: dict[Reason, int] = {"reference": 60, "amount": 25, "name": 15}
_ALIKE = 0.85
_MOST = 10
_LEGAL = re.compile(
    r"\b(gmbh|ag|kg|ltd|limited|inc|corp|co|llc|sa|sarl|sas|bv|nv|plc|kk)\b\.?|株式会社|有限会社|合同会社|\(株\)|\(有\)"
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An open invoice that the line may be for; `score` of 100, and why."""

    invoice_id: UUID
    invoice_number: str
    customer_id: UUID | None
    customer_name: str
    open: int
    score: int
    reasons: Sequence[Reason]


async def lengths_of_numbers(tx: Tx, currency: str) -> Collection[int]:
    """How long the numbers of what is open in a currency are: few, and enough to look them up in a text."""
    length = func.length(Invoice.number_key)
    return list(await tx.scalars(select(length).where(*_open(currency)).distinct()))


async def certain(tx: Tx, line: BankLine, lengths: Collection[int]) -> Sequence[Invoice]:
    """The invoices that the line names, where they are one customer's and come to its amount exactly; none otherwise."""
    named = await _named(tx, line, lengths)
    alone = len({invoice.customer_id for invoice in named}) == 1
    return named if alone and sum(invoice.open for invoice in named) == line.amount else []


async def suggest(tx: Tx, line: BankLine) -> list[Suggestion]:
    """What the line may be for, the likeliest first, of all that is open in its currency."""
    if line.amount <= 0:
        return []
    named = {each.id for each in await _named(tx, line, await lengths_of_numbers(tx, line.currency))}
    called = await _called_alike(tx, line)
    open_ = Invoice.net + Invoice.tax - Invoice.prepaid - Invoice.paid - Invoice.credited
    reasons: Mapping[Reason, ColumnElement[bool]] = {
        "reference": Invoice.id == any_(literal(list(named), ARRAY(Uuid))),
        "amount": open_ == line.amount,
        "name": Invoice.customer["name"].astext == any_(literal(list(called), ARRAY(Text))),
    }
    scores = [case((holds, SCORES[reason]), else_=0) for reason, holds in reasons.items()]
    score = reduce(add, scores)
    query = (
        select(Invoice, score, *reasons.values())
        .options(raiseload(Invoice.lines))
        .where(*_open(line.currency), or_(*reasons.values()))
        .order_by(score.desc(), Invoice.number.collate("C"))
        .limit(_MOST)
    )
    return [_suggestion(invoice, score, said) for invoice, score, *said in await tx.execute(query)]


def _suggestion(invoice: Invoice, score: int, said: Sequence[bool]) -> Suggestion:
    about = (invoice.customer_id, invoice.customer_name, invoice.open)
    reasons = [reason for reason, holds in zip(SCORES, said, strict=True) if holds]
    return Suggestion(invoice.id, invoice.name, *about, score, reasons)


def _open(currency: str) -> tuple[ColumnElement[bool], ...]:
    # Written out in the statement: an index of these states alone is used for nothing less.
    unpaid: BindParameter[str] = bindparam("unpaid", UNPAID, expanding=True, literal_execute=True)
    return Invoice.status.in_(unpaid), Invoice.currency == currency


async def _named(tx: Tx, line: BankLine, lengths: Collection[int]) -> Sequence[Invoice]:
    """The open invoices whose number the line has. Every part of it that is as long as a number is looked up, and what is found looked at closely."""
    text = squeezed(line.reference or "")
    parts = {text[at : at + length] for length in lengths for at in range(len(text) - length + 1)}
    if not parts:
        return []
    query = (
        select(Invoice)
        .options(raiseload(Invoice.lines))
        .where(*_open(line.currency), Invoice.number_key == any_(literal(sorted(parts), ARRAY(Text))))
    )
    found = await tx.scalars(query.order_by(Invoice.id))
    return [invoice for invoice in found if names(line.reference or "", invoice.name)]


async def _called_alike(tx: Tx, line: BankLine) -> Collection[str]:
    """What customers who owe something are called, where that is likely the payer's name."""
    if not line.payer_name:
        return []
    found = list(await tx.scalars(select(Invoice.customer["name"].astext).where(*_open(line.currency)).distinct()))
    payer = _words(line.payer_name)
    # A tenth of a millisecond each, and there may be tens of thousands: others go on meanwhile.
    return await asyncio.to_thread(lambda: [name for name in found if _alike(payer, _words(name))])


def alike(payer: str, customer: str) -> bool:
    """Whether two names are likely one's: alike but for the legal form, order of words, accents and case."""
    return _alike(_words(payer), _words(customer))


def _alike(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    if not mine or not theirs:
        return False
    if set(mine) <= set(theirs) or set(theirs) <= set(mine):
        return True
    matcher = SequenceMatcher(None, " ".join(sorted(mine)), " ".join(sorted(theirs)))
    # What is at most as alike as these say needs no closer look.
    return all(bound() >= _ALIKE for bound in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio))


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return re.findall(r"\w+", _LEGAL.sub(" ", letters))
