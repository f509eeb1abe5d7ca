"""Charts of accounts as data: codes, names and kinds, and which account has which role. Posting rules know roles alone, so a code is a company's own.

A chart comes with the package or from a CSV file, and is whole or refused: what is wrong is named by row and column.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from contracts.accounting import AccountKind, AccountRole
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.values.fields import Name

AccountCode = Annotated[
    str, StringConstraints(max_length=20, pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-]*$"), Field(examples=["1400"])
]

ROLES: Final[tuple[AccountRole, ...]] = get_args(AccountRole)

KINDS: Final[Mapping[AccountRole, tuple[AccountKind, ...]]] = {
    "inventory": ("asset",),
    "goods_received_not_invoiced": ("liability",),
    "unbilled_receivable": ("asset",),
    "output_tax": ("liability",),
    "revenue": ("revenue",),
    "cost_of_goods_sold": ("expense",),
    "stock_usage": ("expense",),
    "stock_adjustments": ("expense", "revenue"),
    "purchase_price_variance": ("expense", "revenue"),
    "production_clearing": ("expense", "revenue", "asset", "liability"),
    "opening_equity": ("equity",),
    "retained_earnings": ("equity",),
    "receivable": ("asset",),
    "customer_credit": ("liability",),
    "unidentified_receipts": ("liability",),
    "prepayment": ("liability",),
    "exchange_clearing": ("asset", "liability"),
    "exchange_differences": ("expense", "revenue"),
}
"""Of which kind the account of a role may be."""

CONTROL: Final[frozenset[AccountRole]] = frozenset(
    {
        "inventory",
        "goods_received_not_invoiced",
        "unbilled_receivable",
        "output_tax",
        "receivable",
        "customer_credit",
        "unidentified_receipts",
        "prepayment",
    }
)
"""The roles whose balance a sub-ledger explains. Their accounts are control accounts: they have no other role, and nobody posts there in passing."""

FOR_INVOICES: Final[frozenset[AccountRole]] = frozenset(
    {
        "receivable",
        "customer_credit",
        "unidentified_receipts",
        "prepayment",
        "exchange_clearing",
        "exchange_differences",
    }
)
"""The roles that only a company that invoices here needs: a chart is complete without them."""

MOST_ROWS: Final = 2000
_MOST_NAMED: Final = 50
_REQUIRED: Final = ("code", "name", "kind")
_COLUMNS: Final = (*_REQUIRED, "role")


class ChartRow(BaseModel):
    """An account to be, with its roles, and the row of the file that it stands in; the header is row 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    code: AccountCode
    name: Name
    kind: AccountKind
    role: Annotated[tuple[AccountRole, ...], BeforeValidator(lambda said: said.split())] = ()
    row: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Accounts, and a name for all of them. `source` is the field of the request that they came from."""

    name: str
    rows: Sequence[ChartRow]
    title: str = ""
    source: str = "/chart"

    @property
    def roles(self) -> dict[AccountRole, str]:
        """The account of each role."""
        return {role: row.code for row in self.rows for role in row.role}

    def fault(self, row: ChartRow, column: str, what: str) -> FieldProblem:
        """What is wrong with one row, said of the file or of the chart that was named."""
        return _fault(row.row, column, what) if self.source == "/csv" else FieldProblem(field=self.source, detail=what)


def read_csv(text: str) -> Sequence[ChartRow]:
    """The rows of a chart: columns `code`, `name`, `kind` and `role` in any order, separated by comma, semicolon or tab (RFC 4180).

    `role` may be left out, be empty, or name several with blanks between. Raises Invalid with every fault's row and column.
    """
    records = _records(text)
    header = [name.strip().lower() for name in next(records, (1, []))[1]]
    wrong = [name or "(empty)" for name in header if name not in _COLUMNS or header.count(name) > 1]
    missing = [name for name in _REQUIRED if name not in header]
    if wrong or missing:
        raise _invalid(
            [_fault(1, ", ".join(wrong or missing), "the columns are code, name, kind and role, each once.")]
        )
    rows: list[ChartRow] = []
    faults: list[FieldProblem] = []
    for number, values in records:
        if len(rows) >= MOST_ROWS:
            raise _invalid([_fault(number, "code", f"there are at most {MOST_ROWS} accounts.")])
        if len(values) != len(header):
            faults.append(_fault(number, "all", f"there are {len(values)} values for {len(header)} columns."))
            continue
        try:
            rows.append(ChartRow(row=number, **dict(zip(header, values, strict=True))))
        except ValidationError as error:
            faults += [_fault(number, str(each["loc"][0]), each["msg"]) for each in error.errors()]
    faults += _contradictions(rows)
    if faults:
        raise _invalid(faults)
    return rows


def ensure_complete(chart: Chart) -> None:
    """Raises Invalid when a role has no account that postings of stock and shipments need."""
    missing = [role for role in ROLES if role not in chart.roles and role not in FOR_INVOICES]
    if missing:
        raise _invalid(
            [FieldProblem(field=chart.source, detail=f"No account has the role {role}.") for role in missing]
        )


def unfit(role: AccountRole, kind: AccountKind) -> str | None:
    """Why an account of this kind cannot have the role; None when it can."""
    kinds = KINDS[role]
    return None if kind in kinds else f"an account that is {role} is of kind {' or '.join(kinds)}, not {kind}."


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not empty, with their numbers from 1."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _invalid([_fault(number, "all", f"{error}.")]) from error
        if any(value.strip() for value in record):
            yield number, record


def _contradictions(rows: Iterable[ChartRow]) -> Iterator[FieldProblem]:
    codes: dict[str, int] = {}
    roles: dict[AccountRole, int] = {}
    for row in rows:
        if codes.setdefault(row.code, row.row) != row.row:
            yield _fault(row.row, "code", f"{row.code} is in row {codes[row.code]} already.")
        for role in row.role:
            if roles.setdefault(role, row.row) != row.row:
                yield _fault(row.row, "role", f"{role} is in row {roles[role]} already.")
            if why := unfit(role, row.kind):
                yield _fault(row.row, "kind", why)
            if role in CONTROL and len(set(row.role)) > 1:
                yield _fault(row.row, "role", f"an account that is {role} has no other role.")


def _fault(row: int, column: str, what: str) -> FieldProblem:
    return FieldProblem(field="/csv", detail=f"Row {row}, column {column}: {what}")


def _invalid(faults: Sequence[FieldProblem]) -> Invalid:
    return Invalid(faults[0].detail, errors=faults[:_MOST_NAMED])


def _packaged(name: str, title: str) -> Chart:
    chart = Chart(name, read_csv(files("accounting").joinpath("charts", f"{name}.csv").read_text("utf-8")), title)
    ensure_complete(chart)
    return chart


CHARTS: Final[Mapping[str, Chart]] = {
    name: _packaged(name, title)
    for name, title in (
        ("general", "A small general chart"),
        ("france", "Plan comptable général (règlement ANC 2014-03), the accounts that trade needs"),
        ("germany", "A short chart in the order of HGB, sections 266 and 275"),
        ("japan", "A short chart with the usual 勘定科目"),
    )
}
"""The charts that come with the package, by name."""

GENERAL: Final = CHARTS["general"]


def own(text: str) -> Chart:
    """A company's own chart, from a CSV file. Raises Invalid with row and column."""
    return Chart("own", read_csv(text), source="/csv")


def described(chart: Chart) -> Mapping[str, Any]:
    """As clients are shown it."""
    accounts = [{**row.model_dump(exclude={"row", "role"}), "roles": row.role} for row in chart.rows]
    return {"name": chart.name, "title": chart.title, "accounts": accounts}
