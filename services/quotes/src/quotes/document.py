"""A quote as a document: what is printed, and what is approved. The hash of its canonical form (RFC 8785) says which text an approval is good for."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import rfc8785

from contracts.approvals import ApprovalSubject
from quotes.authority import largest_discount
from quotes.lines import QuoteLine
from quotes.models import Quote
from tailrace.core.context import Principal
from tailrace.core.values.money import exponent, plain_decimal, round_minor

_BESIDES = {"en": ("Optional", "In place of line {0}"), "ja": ("オプション", "{0} 行目の代わり")}


def document(quote: Quote, seller: str) -> dict[str, Any]:
    """What the document says, in the form in which every business document is typeset. What is not included stands in the notes."""
    language = quote.customer["language"]
    return {
        "kind": "quote",
        "language": language,
        "number": quote.number,
        "version": quote.revision,
        "date": _day(quote.dated),
        "valid_until": _day(quote.valid_until),
        "days_to_pay": quote.payment_terms_days,
        "currency": quote.currency,
        "digits": exponent(quote.currency),
        "seller": {"name": seller, "lines": [], "tax_id": None, "contact": None},
        "customer": {name: quote.customer[name] for name in ("name", "lines", "tax_id", "contact")},
        "lines": [_line(line, _texts_below(quote, line)) for line in quote.counted],
        "taxes": [
            {"code": each.code or "", "rate": _percent(each.rate), "net": each.net, "tax": each.tax}
            for each in quote.taxes
        ],
        "discount": quote.discount or None,
        "net": quote.net,
        "tax": quote.tax,
        "gross": quote.total,
        "terms": quote.terms,
        "notes": _notes(quote, language),
    }


def fingerprint(quote: Quote, seller: str, submission: int) -> str:
    """The SHA-256, in hexadecimal, of the document at its so-and-so-many-th submission, with what is decided by besides the text."""
    said: Mapping[str, Any] = {
        **document(quote, seller),
        "submission": submission,
        "ship_to": quote.ship_to,
        "warehouse_id": str(quote.warehouse_id),
        "confirm_order": quote.confirm_order,
        "custom_fields": quote.custom_fields,
        "items": [
            {"id": str(line.item_id), "quantity": _number(line.base_quantity), "inclusion": line.inclusion}
            for line in quote.items
        ],
    }
    return sha256(rfc8785.dumps(said)).hexdigest()


def subject(quote: Quote, seller: str, who: Principal) -> ApprovalSubject:
    """What an approval of the quote, as it is now, is asked for."""
    discount = largest_discount(quote)
    return ApprovalSubject(
        kind="quote",
        id=quote.id,
        number=quote.name,
        sha256=fingerprint(quote, seller, quote.submissions),
        amount=quote.net,
        currency=quote.currency,
        requester_id=who.user_id,
        attributes={
            "customer_id": str(quote.customer_id),
            "roles": " ".join(sorted(who.roles)),
            "unlisted_prices": "true" if discount is None else "false",
            **({} if discount is None else {"discount_rate": _share(discount)}),
        },
    )


def _share(of_one: Fraction) -> str:
    return plain_decimal(Decimal(round_minor(of_one * 10**6)).scaleb(-6))


def _line(line: QuoteLine, texts: list[str]) -> dict[str, Any]:
    assert line.unit_price is not None
    return {
        "position": line.position,
        "code": line.sku,
        "name": line.name,
        "description": "\n".join(each for each in (line.description, *texts) if each) or None,
        "quantity": _number(line.quantity),
        "unit": line.unit,
        "unit_price": _number(line.unit_price),
        "discount": None if not line.discount_rate else _percent(line.discount_rate),
        "net": line.amount,
        "tax_code": line.tax_code or "",
        "tax_rate": _percent(line.tax_rate),
    }


def _texts_below(quote: Quote, line: QuoteLine) -> list[str]:
    """The texts that stand between a line and the next one."""
    found: list[str] = []
    for each in quote.lines[line.position :]:
        if each.kind == "item":
            break
        found += [text for text in (each.name, each.description) if text]
    return found


def _notes(quote: Quote, language: str) -> str | None:
    first = [text for each in _leading_texts(quote) for text in (each.name, each.description) if text]
    optional, instead = _BESIDES[language]
    others = [
        f"{optional if line.alternative_to is None else instead.format(line.alternative_to)}: {line.position}. {line.name},"
        f" {_number(line.quantity)} {line.unit}, {_major(line.net, quote.currency)} {quote.currency}"
        for line in quote.items
        if line.inclusion != "included" and not line.counts
    ]
    return "\n".join([*first, *([quote.notes] if quote.notes else []), *others]) or None


def _leading_texts(quote: Quote) -> list[QuoteLine]:
    """The texts above the first item."""
    first = next((at for at, line in enumerate(quote.lines) if line.kind == "item"), 0)
    return quote.lines[:first]


def _major(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-exponent(currency)):,f}"


def _percent(rate: Decimal) -> str:
    return plain_decimal(rate * 100)


def _number(value: Decimal | None) -> str:
    assert value is not None
    return plain_decimal(value)


def _day(day: date) -> str:
    return day.isoformat()
