"""Lists page by cursor: stable while rows come and go, whatever the sort, and never a count of everything."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from tailrace.core.errors import BadRequest, FieldProblem
from tailrace.db.database import Tx
from tailrace.http.routing import View

Item = TypeVar("Item")
LIMIT, MOST = 50, 200


class Page(View, Generic[Item]):
    """Some of a list. `next_cursor` leads to what follows; null at the end."""

    items: list[Item]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A page as a route returns it: rows, which `response_model=Page[SomeView]` turns into views."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How much, from where, in which order (`sort` is a field's name, `-` before it for descending)."""

    limit: int
    cursor: str | None
    sort: str | None


async def _page_request(
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.")] = LIMIT,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
    sort: Annotated[str | None, Query(max_length=60, description="A field; `-` before it for descending.")] = None,
) -> PageRequest:
    return PageRequest(limit, cursor, sort)


Paging = Annotated[PageRequest, Depends(_page_request)]

Column = InstrumentedAttribute[Any]


async def paginate(
    tx: Tx,
    query: Select[Item],
    page: PageRequest,
    *,
    key: Column,
    sortable: Mapping[str, Column] | None = None,
    default: str = "id",
) -> Listing[Item]:
    """One page of `query`, whose only entity is a mapped class; `key` is its unique id and breaks ties.

    `sortable` names the columns a client may sort by, besides `id`; they must not hold NULL. Raises BadRequest for an unknown sort or a
    cursor that is not one of this list's, TypeError for a column that may hold NULL.
    """
    known = {"id": key, **(sortable or {})}
    # All of them, asked for or not: the first call shows the mistake.
    for each in known.values():
        if each.property.columns[0].nullable:
            raise TypeError(f"{each} may be NULL: rows would be lost between pages")
    name, descending = _order(page.sort or default, known)
    column = known[name]
    if page.cursor is not None:
        after = _decode(page.cursor, column, key, page.sort or default)
        here = tuple_(column, key)
        query = query.where(here < after if descending else here > after)
    order = (column.desc(), key.desc()) if descending else (column.asc(), key.asc())
    rows = list(await tx.scalars(query.order_by(*order).limit(page.limit + 1)))
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    cursor = _encode(shown[-1], column, key, page.sort or default) if more else None
    return Listing(shown, cursor)


def _order(sort: str, known: Mapping[str, Column]) -> tuple[str, bool]:
    name = sort.removeprefix("-")
    if name not in known:
        detail = f"Sort by one of {', '.join(sorted(known))}."
        raise BadRequest(detail, errors=[FieldProblem(field="sort", detail=detail)])
    return name, sort.startswith("-")


def _encode(row: Any, column: Column, key: Column, sort: str) -> str:
    values = [str(getattr(row, c.key)) for c in (column, key)]
    return base64.urlsafe_b64encode(json.dumps([sort, *values]).encode()).decode().rstrip("=")


def _decode(cursor: str, column: Column, key: Column, sort: str) -> Any:
    try:
        made_for, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != sort:
            raise ValueError("made for another sort")
        return tuple_(*(_value(c, text) for c, text in zip((column, key), values, strict=True)))
    except (ValueError, TypeError, ArithmeticError, binascii.Error) as error:
        detail = "Not a cursor of this list; begin without one."
        raise BadRequest(detail, errors=[FieldProblem(field="cursor", detail=detail)]) from error


_READERS: Mapping[type, Any] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
    int: int,
    str: str,
}


def _value(column: Column, text: Any) -> Any:
    if not isinstance(text, str) or "\x00" in text:
        raise ValueError("not a value that a cursor holds")
    return _READERS[column.type.python_type](text)
