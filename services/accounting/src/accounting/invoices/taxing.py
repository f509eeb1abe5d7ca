"""What an invoice is taxed at: once for each rate of it, rounded as the company does on its day, which is that of its draft until it is issued.

Goods that left were taxed in the books by their share of the order's tax. The law asks for the tax of the invoice (in Japan, once for each rate of a
qualified invoice), so a part of an order may differ from its share by less than a unit for each rate; issuing it books the difference.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from accounting.invoices.copies import TaxCodeCopy, TaxPolicyCopy
from accounting.invoices.lines import InvoiceLine
from tailrace.core.taxes import Levy, in_force, tax_lines
from tailrace.db.database import Tx

Rate = tuple[Decimal, str | None]
"""A rate, and the tax code that it is of."""
_Dated = Sequence[Mapping[str, Any]]


async def tax(tx: Tx, lines: Sequence[InvoiceLine], on: date) -> None:
    """Say the tax of each line."""
    apply(lines, *await _roundings(tx, {line.tax_code for line in lines}), on)


async def levies(tx: Tx, rates: Collection[Rate], on: date) -> Mapping[Rate, Levy]:
    """How these are rounded on a day."""
    said = await _roundings(tx, {code for _, code in rates})
    return {(rate, code): _levy(code, rate, *said, on) for rate, code in rates}


async def _roundings(tx: Tx, of: Collection[str | None]) -> tuple[Mapping[str, _Dated], _Dated]:
    """Those of these tax codes, and the company's own."""
    codes = {code for code in of if code is not None}
    known = await tx.scalars(select(TaxCodeCopy).where(TaxCodeCopy.code.in_(codes))) if codes else ()
    policy = (await tx.scalars(select(TaxPolicyCopy))).first()
    return {each.code: each.roundings for each in known}, () if policy is None else policy.roundings


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
