"""What an invoice is taxed at: once for each rate of it, rounded as the company does on the day of its draft.

Goods that left were taxed in the books by their share of the order's tax. The law asks for the tax of the invoice (in Japan, once for each rate of a
qualified invoice), so a part of an order may differ from its share by less than a unit for each rate; issuing it books the difference.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from accounting.invoices.copies import TaxCodeCopy, TaxPolicyCopy
from accounting.invoices.models import InvoiceLine
from tailrace.core.taxes import Levy, in_force, tax_lines
from tailrace.db.database import Tx


async def tax(tx: Tx, lines: Sequence[InvoiceLine], on: date) -> None:
    """Say the tax of each line."""
    codes = {line.tax_code for line in lines if line.tax_code is not None}
    known = await tx.scalars(select(TaxCodeCopy).where(TaxCodeCopy.code.in_(codes))) if codes else ()
    roundings = {each.code: each.roundings for each in known}
    policy = (await tx.scalars(select(TaxPolicyCopy))).first()
    apply(lines, roundings, () if policy is None else policy.roundings, on)


def apply(
    lines: Sequence[InvoiceLine],
    roundings: Mapping[str, Sequence[Mapping[str, Any]]],
    policy: Sequence[Mapping[str, Any]],
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
    roundings: Mapping[str, Sequence[Mapping[str, Any]]],
    policy: Sequence[Mapping[str, Any]],
    on: date,
) -> Levy:
    own = in_force(roundings.get(code, ()), on) if code is not None else None
    said = own or in_force(policy, on)
    return Levy(code, rate) if said is None else Levy(code, rate, level=said["level"], mode=said["mode"])
