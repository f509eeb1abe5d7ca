"""What the built-in template prints: every figure, day and word of a business document as text, in its language. The template only places them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from unicodedata import east_asian_width

from babel.dates import format_date, format_interval
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit

from tailrace.core.values.layout import Column, Language, Layout, Words
from tailrace.documents.business import BusinessDocument, DocumentLine, DocumentParty
from tailrace.documents.wording import words_in

_DAYS: Mapping[Language, str] = {"ja": "ja", "en": "en_001"}
_REGIONS: Mapping[Language, str | None] = {"ja": "JP", "en": None}


def view(document: BusinessDocument, layout: Layout) -> dict[str, Any]:
    """The texts of the document, as JSON values."""
    words = words_in(layout, document.language)
    spoken = _Spoken(document)
    columns = [each for each in layout.columns if each != "discount" or any(line.discount for line in document.lines)]
    title = str(words.title[document.kind])
    name = " ".join([title, document.number, *([f"({document.version})"] if document.version > 1 else [])])
    return {
        "language": document.language,
        "region": _REGIONS[document.language],
        "paper": layout.paper,
        "accent": layout.accent.lower(),
        "on_accent": "#ffffff" if _is_dark(layout.accent) else "#000000",
        "logo": list(layout.logo) if layout.logo else None,
        "date": document.date.isoformat(),
        "title": title,
        "name": name,
        "number": document.number,
        "author": document.seller.name,
        "running": [_short(name), _short(document.seller.name)],
        "details": _details(document, words, spoken),
        "seller": _party(document.seller, document.seller.name, words),
        "customer": _party(document.customer, str(words.addressee).replace("{}", document.customer.name), words),
        "opening": words.opening[document.kind],
        "total": [words.total[document.kind], spoken.money(document.due)],
        "currency": str(words.currency).replace("{}", document.currency),
        "columns": columns,
        "heads": [_head(each, document, words) for each in columns],
        "rows": [[_cell(each, line, spoken) for each in columns] for line in document.lines],
        "taxes": _taxes(document, words, spoken),
        "sums": _sums(document, words, spoken),
        "sections": [
            [head, text] for head, text in ((words.terms, document.terms), (words.notes, document.notes)) if text
        ],
        "footer": layout.footer,
        "page": words.page,
    }


class _Spoken:
    """Figures and days as the document's language writes them."""

    def __init__(self, document: BusinessDocument) -> None:
        self._language = document.language
        self._currency = document.currency
        self._digits = document.digits

    def money(self, minor: int) -> str:
        """With the currency's sign."""
        pattern = (
            f"¤{self._pattern}"
            if self._currency in ("JPY", "USD", "EUR", "GBP", "CNY", "KRW")
            else f"¤ {self._pattern}"
        )
        text: str = format_currency(
            self._decimal(minor), self._currency, pattern, locale=self._language, currency_digits=False
        )
        return text.replace("￥", "¥")

    def amount(self, minor: int) -> str:
        """The figure alone."""
        text: str = format_decimal(self._decimal(minor), self._pattern, locale=self._language)
        return text

    def price(self, minor: Decimal) -> str:
        """The price of one, with up to four digits more than the currency has where it needs them."""
        finer = self._pattern + ("####" if self._digits else ".####")
        text: str = format_decimal(minor.scaleb(-self._digits), finer, locale=self._language)
        return text

    def quantity(self, value: Decimal) -> str:
        text: str = format_decimal(value.normalize(), locale=self._language, decimal_quantization=False)
        return text

    def percent(self, value: Decimal) -> str:
        return f"{self.quantity(value)}%"

    def day(self, day: date) -> str:
        text: str = format_date(day, "long", locale=_DAYS[self._language])
        return text

    def from_until(self, first: date | None, last: date | None) -> str | None:
        """The day or the days; what several have in common is said once."""
        if first is None or last is None:
            return None
        return (
            self.day(first)
            if first == last
            else str(format_interval(first, last, "yMMMMd", locale=_DAYS[self._language]))
        )

    def days(self, many: int) -> str:
        """So many days; in Japanese, nothing stands between the figure and its unit."""
        text: str = format_unit(many, "duration-day", locale=self._language)
        return text.replace(" ", "") if self._language == "ja" else text

    @property
    def _pattern(self) -> str:
        return "#,##0" + ("." + "0" * self._digits if self._digits else "")

    def _decimal(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self._digits)


def _details(document: BusinessDocument, words: Words, spoken: _Spoken) -> list[list[str | None]]:
    details = [[words.number, document.number]]
    if document.version > 1:
        details.append([words.version, str(document.version)])
    details.append([words.date, spoken.day(document.date)])
    if document.valid_until:
        details.append([words.valid_until, spoken.day(document.valid_until)])
    if document.due_on:
        details.append([words.due_on, spoken.day(document.due_on)])
    if document.days_to_pay is not None:
        days = str(words.days_to_pay).replace("{}", spoken.days(document.days_to_pay))
        details.append([words.payment_terms, days])
    supplied = spoken.from_until(document.supplied_from, document.supplied_until)
    others = ((words.supplied, supplied), (words.reference, document.reference), (words.about, document.about))
    details += [[label, text] for label, text in others if text]
    return details


def _party(party: DocumentParty, name: str, words: Words) -> dict[str, Any]:
    details = [(words.tax_id, party.tax_id), (words.contact, party.contact)]
    return {"name": name, "lines": list(party.lines), "details": [[label, value] for label, value in details if value]}


def _head(column: Column, document: BusinessDocument, words: Words) -> str:
    if (document.kind, column) == ("reminder", "item"):
        return str(words.title["invoice"])
    name = {"discount": "line_discount"}.get(column, column)
    return str(getattr(words, name))


def _cell(column: Column, line: DocumentLine, spoken: _Spoken) -> Any:
    match column:
        case "position":
            return str(line.position)
        case "item":
            return [line.code, line.name, line.description]
        case "quantity":
            return [spoken.quantity(line.quantity), line.unit]
        case "unit_price":
            return spoken.price(line.unit_price)
        case "discount":
            return spoken.percent(line.discount) if line.discount else ""
        case "tax_rate":
            return spoken.percent(line.tax_rate)
        case "amount":
            return spoken.amount(line.net)


def _sums(document: BusinessDocument, words: Words, spoken: _Spoken) -> list[list[str | None]]:
    if document.kind == "reminder":
        # What is open has its tax in it, which invoices said.
        return [[words.total[document.kind], spoken.money(document.due)]]
    sums: list[list[str | None]] = []
    if document.discount:
        sums += [
            [words.subtotal, spoken.amount(document.sum_of_lines)],
            [words.discount, spoken.amount(-document.discount)],
        ]
    sums += [
        [words.net, spoken.amount(document.net)],
        [words.tax, spoken.amount(document.tax)],
        [words.gross, spoken.money(document.gross)],
    ]
    if document.prepayments:
        ahead: dict[str, int] = {}
        for each in document.prepayments:
            ahead[each.about] = ahead.get(each.about, 0) + each.net + each.tax
        sums += [[f"{words.title['invoice']} {number}", spoken.amount(-amount)] for number, amount in ahead.items()]
        sums.append([words.total[document.kind], spoken.money(document.due)])
    return sums


def _taxes(document: BusinessDocument, words: Words, spoken: _Spoken) -> list[list[str | None]]:
    """What is taxed at each rate; then, below zero, what of that was paid ahead."""
    rows: list[list[str | None]] = []
    for each in document.taxes:
        label = str(words.taxed_at).replace("{}", spoken.percent(each.rate))
        rows.append([label, spoken.amount(each.net), words.tax_in_it, spoken.amount(each.tax)])
    for ahead in document.prepayments:
        label = f"{ahead.about}, {str(words.taxed_at).replace('{}', spoken.percent(ahead.rate))}"
        rows.append([label, spoken.amount(-ahead.net), words.tax_in_it, spoken.amount(-ahead.tax)])
    return rows


def _short(text: str, most: int = 48) -> str:
    """What fits half a line above the pages that follow; wide characters count twice."""
    kept = 0
    for at, each in enumerate(text):
        kept += 2 if east_asian_width(each) in "FW" else 1
        if kept > most:
            return text[:at] + "…"
    return text


def _is_dark(colour: str) -> bool:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 150
