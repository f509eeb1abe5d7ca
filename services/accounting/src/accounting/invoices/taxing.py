"""What an invoice is taxed at: once for each rate of it, rounded as the company does on its day, which is that of its draft until it is issued.

Goods that left were taxed in the books by their share of the order's tax. The law asks for the tax of the invoice (in Japan, once for each rate of a
qualified invoice), so a part of an order may differ from its share by less than a unit for each rate; issuing it books the difference.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from accounting.invoices.bodies import NewInvoiceLine
from accounting.invoices.copies import TaxCodeCopy, TaxPolicyCopy
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from tailrace.core.errors import FieldProblem
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.taxes import Levy, in_force, tax_lines
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_code
from tailrace.pricing.tax_codes import Rate, SaidTax, rate_on, rates_on

UNTAXED: Rate = (Decimal(0), None)
_Dated = Sequence[Mapping[str, Any]]


async def tax(tx: Tx, lines: Sequence[InvoiceLine], on: date) -> None:
    """Say the tax of each line."""
    apply(lines, *await _roundings(tx, {line.tax_code for line in lines}), on)


async def rates_said(tx: Tx, asked: Sequence[NewInvoiceLine], on: date) -> list[Rate]:
    """What lines that a person wrote are taxed at on a day. Raises Invalid that names the field."""
    wanted = [SaidTax(each.tax_code, each.tax_rate, f"/lines/{at}") for at, each in enumerate(asked)]
    return await rates_on(tx, TaxCodeCopy, wanted, on)


async def by_now(tx: Tx, rate: Rate, on: date) -> Rate:
    """The rate that the tax code has on a day; what it was said to be, where nothing of that is here. For what nobody is asked about."""
    _, code = rate
    known = None if code is None else (await by_code(tx, TaxCodeCopy, [code])).get(code)
    now = None if known is None else rate_on(known, on)
    return rate if known is None or now is None else (now, known.code)


async def renew(tx: Tx, invoice: Invoice, on: date) -> list[FieldProblem]:
    """Take the rates that the tax codes of an invoice's own lines have on a day, and say what changes by that.

    Raises Invalid that names the field, for a code that the company has no longer, or has no rate of on that day.
    """
    own = [line for line in invoice.lines if line.own and line.tax_code is not None]
    wanted = [SaidTax(line.tax_code, None, line.place) for line in own]
    changes = []
    for line, (rate, code) in zip(own, await rates_on(tx, TaxCodeCopy, wanted, on), strict=True):
        if line.tax_rate != rate:
            now = f"{line.name} is taxed at {plain_decimal(rate)} on {on}, and at {plain_decimal(line.tax_rate)} in the draft."
            changes.append(FieldProblem(field=f"{line.place}/tax_rate", detail=now))
        line.tax_rate, line.tax_code = rate, code
    return changes


async def levies(tx: Tx, rates: Collection[Rate], on: date) -> Mapping[Rate, Levy]:
    """How these are rounded on a day."""
    said = await _roundings(tx, {code for _, code in rates})
    return {(rate, code): _levy(code, rate, *said, on) for rate, code in rates}


async def _roundings(tx: Tx, of: Collection[str | None]) -> tuple[Mapping[str, _Dated], _Dated]:
    """Those of these tax codes, and the company's own."""
    codes = await by_code(tx, TaxCodeCopy, {code for code in of if code is not None})
    policy = (await tx.scalars(select(TaxPolicyCopy))).first()
    return {code: each.roundings for code, each in codes.items()}, () if policy is None else policy.roundings


def apply(
    lines: Sequence[InvoiceLine],
    roundings: Mapping[str, _Dated],
    policy: _Dated,
    on: date,
) -> None:
    """The same, where the roundings of tax codes and the company's own are known."""
    levies = [_levy(line.tax_code, line.tax_rate, roundings, policy, on) for line in lines]
    taxes = tax_lines([(line.net, levy) for line, levy in zip(lines, levies, strict=True)])
    for line, tax in zip(lines, taxes, strict=True):
        line.tax = tax


def _levy(
    code: str | None,
    rate: Decimal,
    roundings: Mapping[str, _Dated],
    policy: _Dated,
    on: date,
) -> Levy:
    own = in_force(roundings.get(code, ()), on) if code is not None else None
    said = own or in_force(policy, on)
    return Levy(code, rate) if said is None else Levy(code, rate, level=said["level"], mode=said["mode"])
