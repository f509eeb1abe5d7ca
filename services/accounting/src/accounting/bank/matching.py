"""What a line of a statement may be for: invoices whose number it names, whose amount it has, or whose customer is called as the payer is.

A suggestion is no decision: somebody confirms it. Only what names invoices that come to its amount exactly is taken without asking, where that is
wanted.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from accounting.bank.models import BankLine
from accounting.invoices.models import UNPAID, Invoice
from tailrace.db.database import Tx

Reason = Literal["reference", "amount", "name"]
SCORES: dict[Reason, int] = {"reference": 60, "amount": 25, "name": 15}
_ALIKE = 0.85
_MOST, _CANDIDATES = 10, 5_000
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


async def candidates(tx: Tx, currency: str) -> Sequence[Invoice]:
    """What is open in a currency, the oldest first."""
    query = (
        select(Invoice)
        .options(raiseload(Invoice.lines))
        .where(Invoice.status.in_(UNPAID), Invoice.currency == currency)
    )
    return list(await tx.scalars(query.order_by(Invoice.id).limit(_CANDIDATES)))


def suggest(line: BankLine, open_: Sequence[Invoice]) -> list[Suggestion]:
    """What the line may be for, the likeliest first."""
    if line.amount <= 0:
        return []
    text = line.reference or ""
    found = []
    for invoice in open_:
        reasons: list[Reason] = []
        if names(text, invoice.name):
            reasons.append("reference")
        if invoice.open == line.amount:
            reasons.append("amount")
        if line.payer_name and alike(line.payer_name, invoice.customer_name):
            reasons.append("name")
        if reasons:
            score = sum(SCORES[each] for each in reasons)
            about = (invoice.customer_id, invoice.customer_name, invoice.open)
            found.append(Suggestion(invoice.id, invoice.name, *about, score, reasons))
    return sorted(found, key=lambda each: (-each.score, each.invoice_number))[:_MOST]


def certain(line: BankLine, open_: Sequence[Invoice]) -> list[Invoice]:
    """The invoices that the line names, where they are one customer's and come to its amount exactly; none otherwise."""
    text = line.reference or ""
    named = [invoice for invoice in open_ if names(text, invoice.name)]
    alone = len({invoice.customer_id for invoice in named}) == 1
    return named if alone and sum(invoice.open for invoice in named) == line.amount else []


def alike(payer: str, customer: str) -> bool:
    """Whether two names are likely one's: alike but for the legal form, order of words, accents and case."""
    mine, theirs = _words(payer), _words(customer)
    if not mine or not theirs:
        return False
    if set(mine) <= set(theirs) or set(theirs) <= set(mine):
        return True
    return SequenceMatcher(None, " ".join(sorted(mine)), " ".join(sorted(theirs))).ratio() >= _ALIKE


def names(text: str, called: str) -> bool:
    """Whether a text has the number of something, whatever stands between its letters, and no longer one that begins or ends with it."""
    number = _squeezed(called)
    # Most texts name none of most numbers: look at the letters alone first.
    if number not in _squeezed(text):
        return False
    spaced = r"[\W_]*".join(map(re.escape, number))
    before = r"(?<![0-9])" if number[0].isdigit() else ""
    return re.search(rf"{before}{spaced}(?![0-9])", unicodedata.normalize("NFKC", text).casefold()) is not None


def _squeezed(text: str) -> str:
    """Letters and digits alone: people leave out hyphens, and banks put in blanks."""
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return re.findall(r"\w+", _LEGAL.sub(" ", letters))
