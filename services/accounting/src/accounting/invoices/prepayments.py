"""Prepayments: what an order is asked to pay before it leaves, taxed when it is received, and deducted by the invoices of what left, rate by rate.

A prepayment invoice has one line for each rate of the order. `received` of a line is what came in for it, tax included, and `deducted` what invoices
took of that. Tax is due on what was received and not deducted; an invoice that deducts it owes the tax of its own supply instead. What is divided
among rates keeps to what is left of each, so that the parts add up to it in the end, whatever the steps.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from accounting.invoices.copies import OrderCopy
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice
from accounting.invoices.prepaid import spread, taxes_due
from tailrace.core.values.taxes import Levy, taxes_in
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids
from tailrace.pricing.tax_codes import Rate


async def deduct(tx: Tx, invoice: Invoice) -> int:
    """Take what was received ahead for the orders of an invoice off it, the oldest first. Returns the tax on it that was due before.

    No more is deducted at a rate than the invoice asks for at that rate of that order. What was asked for ahead at a rate that the order has no more,
    since it was changed, is deducted from whatever is asked for of it.
    """
    asked = _asked(invoice)
    if not asked:
        return 0
    due, orders = 0, {order_id for order_id, _ in asked}
    rates = await _rates(tx, orders)
    for prepayment in await _of_orders(tx, orders):
        before, taken = taxes_due(prepayment), []
        for line in prepayment.lines:
            assert prepayment.order_id is not None
            own = (prepayment.order_id, (line.tax_rate, line.tax_code))
            keys = [own] if own in rates else [key for key in asked if key[0] == prepayment.order_id]
            amount = min(line.received - line.deducted, sum(asked.get(key, 0) for key in keys))
            if amount > 0:
                _take(asked, keys, amount)
                taken.append(_part(prepayment, line, amount))
        if taken:
            due += before - taxes_due(prepayment)
            prepayment.deduct(sum(each["net"] + each["tax"] for each in taken), invoice.id)
            invoice.prepayments = [*invoice.prepayments, *taken]
    invoice.prepaid = sum(each["net"] + each["tax"] for each in invoice.prepayments)
    return due


async def release(tx: Tx, invoice: Invoice, amount: int, day: date) -> int:
    """Let so much of what an invoice deducted be paid ahead again, the newest first. Returns the tax on it that is due by that."""
    if not amount:
        return 0
    due, left, kept = 0, amount, list(invoice.prepayments)
    while left:
        last = dict(kept.pop())
        prepayment = await tx.load(Invoice, UUID(last["invoice_id"]))
        line = next(each for each in prepayment.lines if str(each.id) == last["line_id"])
        before, whole = taxes_due(prepayment), last["net"] + last["tax"]
        part = min(left, whole)
        left -= part
        line.deducted -= part
        prepayment.rest()
        due += taxes_due(prepayment) - before
        prepayment.deduct(-part, invoice.id)
        if part < whole:
            tax = line.tax_of(line.deducted + whole - part) - line.tax_of(line.deducted)
            kept.append({**last, "net": whole - part - tax, "tax": tax})
    invoice.lose(amount, kept, day)
    return due


def not_deducted(prepayment: Invoice) -> dict[UUID, tuple[int, int]]:
    """By line, net and tax of what neither an invoice has deducted nor a credit note taken back."""
    left = {}
    for line in prepayment.lines:
        gross = line.gross - line.deducted - line.credited_net - line.credited_tax
        tax = line.tax - line.tax_of(line.deducted) - line.credited_tax
        if gross:
            left[line.id] = (gross - tax, tax)
    return left


def divided(amount: int, rooms: Mapping[Rate, int], levies: Mapping[Rate, Levy]) -> dict[Rate, tuple[int, int]]:
    """An amount, tax included, as net and tax by rate, as the rooms are to one another; none takes more than its room.

    Tax is rounded once for each rate, whatever codes it has.
    """
    parts = [(key, gross) for key, gross in zip(rooms, spread(amount, list(rooms.values())), strict=True) if gross]
    taxes = taxes_in([(gross, levies[key]) for key, gross in parts])
    return {key: (gross - tax, tax) for (key, gross), tax in zip(parts, taxes, strict=True)}


def _asked(invoice: Invoice) -> dict[tuple[UUID, Rate], int]:
    """By order and rate, what an invoice asks for."""
    sums: dict[tuple[UUID, Rate], int] = {}
    for line in invoice.lines:
        if line.order_id is not None:
            key = (line.order_id, (line.tax_rate, line.tax_code))
            sums[key] = sums.get(key, 0) + line.net + line.tax
    return sums


def _take(asked: dict[tuple[UUID, Rate], int], keys: Sequence[tuple[UUID, Rate]], amount: int) -> None:
    """So much less is asked for, of the first of these first."""
    for key in keys:
        part = min(amount, asked.get(key, 0))
        if part:
            asked[key] -= part
            amount -= part


async def _rates(tx: Tx, orders: Collection[UUID]) -> set[tuple[UUID, Rate]]:
    """By order, the rates that it has as it binds."""
    found = await by_ids(tx, OrderCopy, orders)
    return {
        (order.id, (Decimal(line["tax_rate"]), line.get("tax_code")))
        for order in found.values()
        for line in order.lines
    }


async def _of_orders(tx: Tx, orders: Collection[UUID]) -> Sequence[Invoice]:
    """Locked in the order of their ids, which is that in which they were drafted."""
    query = select(Invoice.id).where(
        Invoice.order_id.in_(orders),
        Invoice.kind == "prepayment",
        Invoice.status.in_(("issued", "partly_paid", "paid")),
    )
    return [await tx.load(Invoice, id) for id in sorted(await tx.scalars(query))]


def _part(prepayment: Invoice, line: InvoiceLine, amount: int) -> dict[str, Any]:
    """Deduct so much of a line, and what the invoice that does says of it."""
    tax = line.tax_of(line.deducted + amount) - line.tax_of(line.deducted)
    line.deducted += amount
    said = {"invoice_id": str(prepayment.id), "number": prepayment.name, "line_id": str(line.id)}
    dated: date | None = prepayment.dated
    assert dated is not None
    about = {"dated": dated.isoformat(), "tax_code": line.tax_code, "tax_rate": str(line.tax_rate)}
    return {**said, **about, "net": amount - tax, "tax": tax}
