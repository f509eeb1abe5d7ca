"""Statements as text: camt.053 (ISO 20022, any version that a bank sends), and CSV. What does not add up is refused whole.

XML is read without entities and without a network; a document type is refused.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from typing import Any

from lxml import etree

from accounting.bank.refusals import NoStatement
from tailrace.core.values.days import Calendar
from tailrace.core.values.money import exponent
from tailrace.core.values.text import line as spelled
from tailrace.core.values.text import shortened, xml
from tailrace.core.values.wire import SHAPES

MOST_LINES = 2_000
_ROOT = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d{2})\}Document")
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_REQUIRED = ("value_day", "amount")
_COLUMNS = (*_REQUIRED, "booked_on", "payer_name", "payer_iban", "reference", "bank_reference")
_LONGEST = 500
_AMOUNT = re.compile(r"[+-]?(?=\.?[0-9])[0-9]{0,18}(?:\.[0-9]{0,18})?")
_OFFSET = re.compile(r"T.*(?:Z|[+-][0-9]{2}:[0-9]{2})$")
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A movement, in minor units, above zero for money that came in. `key` tells it from every other one of the account."""

    amount: int
    booked_on: date
    value_day: date
    payer_name: str | None
    payer_iban: str | None
    reference: str | None
    bank_reference: str | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """What a file says; balances where it says them."""

    name: str
    opening: int | None
    closing: int | None
    lines: Sequence[StatementLine]


def read_camt(text: str, iban: str | None, currency: str, calendar: Calendar) -> ReadStatement:
    """A file with one statement, or several of this account one after another; its moments are of days of `calendar`. Raises NoStatement."""
    root = _parsed(text)
    found = [_statement(_Said(each, calendar), iban, currency) for each in root.iter(_tag(root, "Stmt"))]
    if not found:
        raise _wrong("There is no statement in it.")
    lines = [line for each in found for line in each.lines]
    for before, after in pairwise(found):
        if before.closing is not None and after.opening is not None and before.closing != after.opening:
            raise _wrong(f"{after.name} does not begin with what {before.name} ended with.")
    return ReadStatement(found[0].name, found[0].opening, found[-1].closing, _keyed(lines))


def read_csv(text: str, currency: str) -> ReadStatement:
    """Columns `value_day` and `amount` (in major units, with a point), and as many of the others as there are; in any order. Raises NoStatement."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        records = [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _wrong(f"{error}.") from error
    names = [name.strip().lower() for name in records[0]] if records else []
    unknown = [name or "(empty)" for name in names if name not in _COLUMNS or names.count(name) > 1]
    missing = [name for name in _REQUIRED if name not in names]
    if unknown or missing:
        raise _wrong(f"Row 1: {', '.join(unknown or missing)}: the columns are {', '.join(_COLUMNS)}, each once.")
    lines = []
    for number, row in enumerate(records[1:], 2):
        if len(row) != len(names):
            raise _wrong(f"Row {number}: there are {len(row)} values for {len(names)} columns.")
        said = {
            name: shortened(_spelled(cell, f"Row {number}, column {name}"), _LONGEST) or None
            for name, cell in zip(names, row, strict=True)
        }
        value_day = _day(said["value_day"], f"Row {number}, column value_day")
        booked = said.get("booked_on")
        booked_on = _day(booked, f"Row {number}, column booked_on") if booked else value_day
        amount = _minor(said["amount"], currency, f"Row {number}, column amount")
        names_of = (said.get("payer_name"), said.get("payer_iban"), said.get("reference"), said.get("bank_reference"))
        lines.append(StatementLine(amount, booked_on, value_day, *names_of))
    return ReadStatement("CSV", None, None, _keyed(lines))


def _parsed(text: str) -> Any:
    try:
        text = xml(text)
    except ValueError as error:
        raise _wrong(f"{error}.") from error
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_DECLARATION.sub("", text).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise _wrong(f"It is no XML: {error.msg}.") from error
    about: Any = root.getroottree().docinfo
    if about.doctype:
        raise _wrong("A statement has no document type.")
    if _ROOT.fullmatch(str(root.tag)) is None:
        raise _wrong("It is no camt.053.")
    return root


def _statement(say: "_Said", iban: str | None, currency: str) -> ReadStatement:
    of = say.text("Acct/Id/IBAN")
    if iban is not None and of is not None and of != iban:
        raise _wrong(f"It is of the account {of}.")
    balances: dict[str, int] = {}
    for balance in say.all("Bal"):
        code = balance.text("Tp/CdOrPrtry/Cd")
        if code in ("OPBD", "PRCD", "CLBD") and balance.attribute("Amt", "Ccy") == currency:
            balances[code] = _signed(balance, currency)
    lines = [line for entry in say.all("Ntry") for line in _entries(entry, currency)]
    if len(lines) > MOST_LINES:
        raise _wrong(f"It has more than {MOST_LINES} lines.")
    opening, closing = balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD")
    moved = sum(line.amount for line in lines)
    if opening is not None and closing is not None and opening + moved != closing:
        raise _wrong(f"Its lines come to {moved}, and its balances differ by {closing - opening}, in minor units.")
    return ReadStatement(say.text("Id") or "", opening, closing, lines)


def _entries(entry: "_Said", currency: str) -> Iterator[StatementLine]:
    """One line, or one for each transaction where the bank says what each of them came to; only what is booked counts."""
    if (entry.text("Sts/Cd") or entry.text("Sts") or "BOOK") != "BOOK":
        return
    if entry.attribute("Amt", "Ccy") != currency:
        raise _wrong(f"A line is in {entry.attribute('Amt', 'Ccy')}, and the account in {currency}.")
    whole = _signed(entry, currency)
    booked_on = entry.day("BookgDt") or entry.day("ValDt")
    value_day = entry.day("ValDt") or booked_on
    if booked_on is None or value_day is None:
        raise _wrong("A line has no day.")
    own = entry.text("AcctSvcrRef")
    parts = list(entry.all("NtryDtls/TxDtls"))
    amounts = [_part(each, currency, whole) for each in parts]
    if len(parts) < 2 or None in amounts or sum(each or 0 for each in amounts) != whole:
        first = parts[0] if parts else entry
        yield _line(first, whole, booked_on, value_day, own or first.text("Refs/AcctSvcrRef"))
        return
    for at, (part, amount) in enumerate(zip(parts, amounts, strict=True), 1):
        reference = part.text("Refs/AcctSvcrRef") or (f"{own}/{at}" if own else None)
        yield _line(part, amount or 0, booked_on, value_day, reference)


def _line(said: "_Said", amount: int, booked_on: date, value_day: date, reference: str | None) -> StatementLine:
    other = "Dbtr" if amount > 0 else "Cdtr"
    name = said.text(f"RltdPties/{other}/Nm") or said.text(f"RltdPties/{other}/Pty/Nm")
    words = [each.own for each in said.all("RmtInf/Ustrd")]
    words += [each.own for each in said.all("RmtInf/Strd/CdtrRefInf/Ref")]
    ends = said.text("Refs/EndToEndId")
    if ends and ends != "NOTPROVIDED":
        words.append(ends)
    text = shortened(" ".join(each for each in words if each), _LONGEST) or None
    iban = said.text(f"RltdPties/{other}Acct/Id/IBAN")
    return StatementLine(amount, booked_on, value_day, name, iban, text, reference)


def _part(part: "_Said", currency: str, whole: int) -> int | None:
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if part.attribute(path, "Ccy") == currency:
            direction = part.text("CdtDbtInd")
            sign = whole if direction is None else (1 if direction == "CRDT" else -1)
            amount = _minor(part.text(path), currency, "A transaction")
            return amount if sign >= 0 else -amount
    return None


def _signed(said: "_Said", currency: str) -> int:
    amount = _minor(said.text("Amt"), currency, "An amount")
    return -amount if said.text("CdtDbtInd") == "DBIT" else amount


class _Said:
    """An element, whose children are asked for by path, whatever version the namespace says."""

    def __init__(self, element: Any, calendar: Calendar) -> None:
        self._element, self._calendar = element, calendar

    @property
    def own(self) -> str:
        return shortened(_spelled(str(self._element.text or ""), etree.QName(self._element).localname), _LONGEST)

    def all(self, path: str) -> Iterator["_Said"]:
        for each in self._element.iterfind("/".join(f"{{*}}{step}" for step in path.split("/"))):
            yield _Said(each, self._calendar)

    def text(self, path: str) -> str | None:
        first = next(self.all(path), None)
        return (first.own or None) if first else None

    def attribute(self, path: str, name: str) -> str | None:
        first = next(self.all(path), None)
        return first._element.get(name) if first else None

    def day(self, path: str) -> date | None:
        """A day as it stands there; of a moment with its offset from UTC, the company's."""
        said = self.text(f"{path}/Dt")
        if said is None and (said := self.text(f"{path}/DtTm")) and _OFFSET.search(said):
            return _day(self._of_company(said, path), path)
        return _day(said[:10], path) if said else None

    def _of_company(self, said: str, path: str) -> str:
        try:
            return self._calendar.day_of(datetime.fromisoformat(said)).isoformat()
        except (ValueError, OverflowError) as error:
            raise _wrong(f"{path}: {said} is no moment, as 2026-01-31T09:30:00+01:00.") from error


def _tag(root: Any, name: str) -> str:
    return f"{{{etree.QName(root).namespace}}}{name}"


def _keyed(lines: Sequence[StatementLine]) -> list[StatementLine]:
    """Each with its key: the bank's own reference, or all that the line says, and how many alike came before it."""
    if len(lines) > MOST_LINES:
        raise _wrong(f"It has more than {MOST_LINES} lines.")
    alike: Counter[str] = Counter()
    keyed = []
    for line in lines:
        said = [line.bank_reference, line.amount, line.booked_on, line.value_day]
        if line.bank_reference is None:
            said += [line.payer_name, line.payer_iban, line.reference]
        text = sha256(repr(said).encode()).hexdigest()
        alike[text] += 1
        keyed.append(replace(line, key=f"{text}/{alike[text]}"))
    return keyed


def _spelled(text: str, where: str) -> str:
    """In one line. Raises NoStatement for what nobody sees."""
    try:
        return spelled(" ".join(text.split()))
    except ValueError as error:
        raise _wrong(f"{where}: {error}.") from error


def _minor(text: str | None, currency: str, where: str) -> int:
    """To the digit: what Python reads besides, as 1_000 and the digits of other scripts, no bank has written."""
    exact = Fraction(text) * 10 ** exponent(currency) if text and _AMOUNT.fullmatch(text) else None
    if exact is None or exact.denominator != 1 or abs(exact) > 10**15:
        raise _wrong(f"{where}: {text} is no amount of {currency}.")
    return int(exact)


def _day(text: str | None, where: str) -> date:
    if text and SHAPES[date].pattern.fullmatch(text):
        with suppress(ValueError):
            day = date.fromisoformat(text)
            if day.year in _YEARS:
                return day
    raise _wrong(f"{where}: {text} is no day, as 2026-01-31.")


def _wrong(what: str) -> NoStatement:
    return NoStatement(what, field="/content")
