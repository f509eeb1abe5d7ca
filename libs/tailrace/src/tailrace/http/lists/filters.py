"""What a list may be narrowed by, declared once: each filter is a query parameter, its description, and the condition it stands for::

    listed(Order, any_of(Order.status, Status), equal(Order.number), *between(Order.ordered_at), part_of(Order.name))

takes `status=draft&status=confirmed`, `number`, `ordered_from` (that moment or later), `ordered_until` (before it) and `name`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from inspect import Parameter
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from fastapi import Query
from sqlalchemy import ColumnElement, func, text
from sqlalchemy.orm import InstrumentedAttribute

from tailrace.core.values.fields import Code, Day, Moment, MomentOrDay, Search, Text
from tailrace.core.values.money import Exact
from tailrace.core.values.text import folded, plain
from tailrace.db.master_data import MasterData
from tailrace.db.text_search.among import among
from tailrace.messaging.days import CompanyDays

Column = InstrumentedAttribute[Any]
MOST_IDS = 200
"""That are asked for at once; no page is longer."""

Deleted = Annotated[bool, Query(description="Those that were deleted, instead of those in use.")]
"""For lists of what can be restored."""

_TYPES: dict[type, Any] = {
    UUID: UUID,
    bool: bool,
    int: int,
    str: Text,
    Decimal: Exact,
    datetime: Moment,
    date: Day,
}
"""How a column's values are read from a query, unless a filter says so itself."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter, the type of its values, and the rows that it leaves."""

    name: str
    values: Any
    condition: Callable[[Any], ColumnElement[bool]]
    description: str | None = None
    days: CompanyDays | None = None
    """Whose days are meant: the condition is given the first moment of a plain day."""
    of_day: Callable[[Any, date], ColumnElement[bool]] | None = None
    """The condition for a plain day, where that is more than its first moment: it is given both."""

    @property
    def parameter(self) -> Parameter:
        """As FastAPI reads it; nothing is narrowed when it is left out."""
        values: Any = self.values
        annotation = Annotated[values | None, Query(description=self.description)]
        return Parameter(self.name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def equal(column: Column, type: Any = None, description: str = "Only those that have exactly this.") -> Filter:
    """Rows whose column has this value."""
    return Filter(column.key, type or _type_of(column), lambda value: column == value, description)


def any_of(column: Column, type: Any = None) -> Filter:
    """Rows whose column has one of these values: the parameter may come several times."""
    description = "One of these; may be given several times."
    one: Any = type or _type_of(column)
    return Filter(column.key, list[one], lambda values: column.in_(values), description)


def by_id(kind: type[Any]) -> Filter:
    """The rows with these ids, at most as many as a page has room for: what a reader of one list asks of another, all at once."""
    return Filter(
        "id",
        Annotated[list[UUID], Len(max_length=MOST_IDS)],
        lambda ids: among(kind.id, ids),
        "Those with these ids; may be given several times.",
    )


def part_of(column: Column) -> Filter:
    """Rows whose text holds this one, in any case and in any spelling that NFKC makes one of."""
    spelled = func.normalize(column, text("NFKC"))
    description = "A part of it, in any case."
    return Filter(column.key, Search, lambda part: spelled.icontains(part, autoescape=True), description)


def called(kind: type[MasterData]) -> Filter:
    """The row whose code this is, in any spelling that makes it the same."""
    description = "The code, in any case." if kind.case_folded else "The code; its case counts."
    return Filter(kind.code_field, Code, lambda code: kind.code_key == kind.key_of(code), description)


def spelled(column: Column, key: Column | None = None) -> Filter:
    """Rows whose code this is, in any spelling that makes it the same; `key` is the column that has what they have in common (`text.folded`).

    Without a key, in any case and in any spelling that NFKC makes one of.
    """
    lowered = _lowered(column)
    condition = (lambda code: lowered == func.lower(code)) if key is None else (lambda code: key == folded(code))
    return Filter(column.key, Code, condition, "The code, in any case.")


def numbered(column: Column) -> Filter:
    """The document whose number this is, by the index that numbers have: as it is written, in any width, and all in capitals or small letters.

    Of a form that mixes both, as `Rg-{number}`, the case counts.
    """
    return Filter(column.key, Text, lambda number: column.in_(_spellings(number)), "The number, in any width or case.")


def any_spelled(column: Column) -> Filter:
    """Rows whose code is one of these, in any case and in any spelling that NFKC makes one of."""
    lowered = _lowered(column)
    description = "One of these, in any case; may be given several times."
    return Filter(column.key, list[Code], lambda codes: lowered.in_([func.lower(code) for code in codes]), description)


def _spellings(number: str) -> set[str]:
    common = plain(number)
    return {number, common, common.upper(), common.lower()}


def _lowered(column: Column) -> ColumnElement[str]:
    return func.lower(func.normalize(column, text("NFKC")))


def between(column: Column, days: CompanyDays | None = None) -> tuple[Filter, Filter]:
    """`<field>_from`, inclusive, and `<field>_until`, exclusive; the field is the column's name without `_at`.

    With `days`, a column of moments takes a plain day of the company's as well: from its first moment on, or before that.
    """
    field, type = column.key.removesuffix("_at"), _type_of(column)
    what = {Moment: "moment", Day: "day"}.get(type, "value")
    if days is not None and type is Moment:
        type, what = MomentOrDay, "moment, or this day of the company's,"
    return (
        Filter(f"{field}_from", type, lambda value: column >= value, f"This {what} or later.", days),
        Filter(
            f"{field}_until", type, lambda value: column < value, f"Before this {what}".removesuffix(",") + ".", days
        ),
    )


def where(name: str, type: Any, condition: Callable[[Any], ColumnElement[bool]], description: str) -> Filter:
    """Rows for which a condition of one's own holds, given the parameter's value."""
    return Filter(name, type, condition, description)


def _type_of(column: Column) -> Any:
    return _TYPES[column.type.python_type]
