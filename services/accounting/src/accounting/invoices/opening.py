"""What is open of invoices that another system wrote, taken over one by one when a company comes from there: it is paid, aged and reminded of here.

It was sold and taxed in the books that it comes from, so the other side of what is owed is the account of opening balances.
"""

from datetime import date, timedelta

from accounting.books import hold, next_open_day
from accounting.days import dates, days
from accounting.invoices.bodies import NewOpenInvoice
from accounting.invoices.buyers import known_buyer
from accounting.invoices.commands import ensure_roles
from accounting.invoices.copies import TaxCodeCopy
from accounting.invoices.drafting import lump
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice, Issue
from accounting.invoices.policy import seller
from accounting.invoices.taxing import UNTAXED, levies
from accounting.invoices.timers import await_due
from accounting.refusals import DayLocked
from tailrace.core.values.plausible import checked_day
from tailrace.core.values.taxes import Levy, taxes_in
from tailrace.db.database import Tx
from tailrace.pricing.tax_codes import Rate, SaidTax, rates_on

_BACK, _OLDEST, _LATEST_DUE = timedelta(days=3653), timedelta(days=18263), timedelta(days=3653)
"""How far before today it may be taken over, how old it may be by then, and how long after its day it may be due."""


async def take_over(tx: Tx, asked: NewOpenInvoice) -> Invoice:
    """Let it be owed here, from a day on. Raises Invalid, NotYetKnown, Implausible, Taken, DayLocked, RoleUnmapped."""
    buyer = await known_buyer(tx, asked.customer_id)
    since = await _since(tx, asked.taken_over_on)
    checked_day(asked.dated, since - _OLDEST, since, "/dated")
    checked_day(asked.due_on, asked.dated, asked.dated + _LATEST_DUE, "/due_on")
    await ensure_roles(tx, since, ("receivable", "opening_equity"))
    terms = {
        "taken_over_on": since,
        "customer_id": buyer.customer_id,
        "customer": dict(buyer.paper),
        "currency": asked.currency,
        "payment_terms_days": (asked.due_on - asked.dated).days,
        "customer_reference": asked.customer_reference,
        "notes": None,
        "supplied_from": None,
        "supplied_until": None,
    }
    rate = await _rate(tx, asked)
    levied = await levies(tx, [rate], asked.dated)
    invoice = Invoice.drafted(terms, [_line(asked, rate, levied[rate])])
    at = await days.begin_of(tx, since)
    invoice.issue(Issue(asked.number, asked.dated, asked.due_on, at, await seller(tx)))
    tx.add(invoice)
    await await_due(tx, invoice)
    return invoice


async def _since(tx: Tx, said: date | None) -> date:
    """The day from which it counts here: one that is over or is today, and that is open."""
    today = await days.today(tx)
    since = said or today
    first, last = await dates.days(tx, "journal", today, today - _BACK, today)
    checked_day(since, first, min(last, today), "/taken_over_on")
    if (free := next_open_day(since, await hold(tx))) != since:
        raise DayLocked(since, free, field="/taken_over_on")
    return since


async def _rate(tx: Tx, asked: NewOpenInvoice) -> Rate:
    """What it was taxed at on its day, where somebody says so."""
    if asked.tax_code is None and asked.tax_rate is None:
        return UNTAXED
    (rate,) = await rates_on(tx, TaxCodeCopy, [SaidTax(asked.tax_code, asked.tax_rate, "")], asked.dated)
    return rate


def _line(asked: NewOpenInvoice, rate: Rate, levy: Levy) -> InvoiceLine:
    """All of it, as one line: what it was of, only the other system knows. Its tax is rounded as the company does on its day."""
    (tax,) = taxes_in([(asked.open, levy)])
    return lump(1, asked.number, rate, asked.open - tax, tax)
