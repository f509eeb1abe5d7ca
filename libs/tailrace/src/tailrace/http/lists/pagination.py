"""Lists page by cursor: stable while rows come and go, whatever the sort, and never a count of everything."""

import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from inspect import Parameter, Signature
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, Select, tuple_

from tailrace.core.errors import BadRequest
from tailrace.db.database import Tx
from tailrace.http.auth import Scope
from tailrace.http.files import exports
from tailrace.http.lists.filters import Column, Filter
from tailrace.http.masks import ensure_shown
from tailrace.http.routing import Tx as RouteTx
from tailrace.http.routing import View

Item = TypeVar("Item")
LIMIT, MOST = 50, 200
NOTHING_MASKED: Mapping[str, Scope] = {}
OF_EXPORT = 500
_DIRECTIONS = (("", ""), ("-", "_DESCENDING"))
_LARGEST, _MOST_DIGITS = 2**63 - 1, 40

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
LONGEST_CURSOR = 4096
"""Room for the longest line that `fields` knows, 500 characters of four bytes each, in base64, with an id and a sort beside it."""
Cursor = Annotated[
    str | None,
    Query(
        max_length=LONGEST_CURSOR,
        description="`next_cursor` of the page before.",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]


class Page(View, Generic[Item]):
    """Some of a list. `next_cursor` leads to what follows; null at the end."""

    # Described by hand: for each `Page[SomeView]` docstrings would be looked for up the whole stack, 70 ms at every start.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[Item] = Field(description="What is on this page, in the order asked for.")
    next_cursor: str | None = Field(None, description="To be sent as `cursor` for what follows; null at the end.")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A page as a route returns it: rows, which `response_model=Page[SomeView]` turns into views."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How much, from where, in which order (`sort` is a field's name, `-` before it for descending), and narrowed by what.

    `sortable` names the columns that a client may sort by, `id` among them, which is unique and breaks ties.
    """

    sortable: Mapping[str, Column]
    sort: str = "id"
    limit: int = LIMIT
    cursor: str | None = None
    conditions: Sequence[ColumnElement[bool]] = ()

    def narrowed(self, query: Select[Item]) -> Select[Item]:
        """The query, with the conditions of the filters that the client gave."""
        return query.where(*self.conditions)


def listed(
    kind: type[Any],
    *filters: Filter,
    sort: Sequence[Column] = (),
    default: str = "id",
    masks: Mapping[str, Scope] = NOTHING_MASKED,
) -> Any:
    """A dependency that yields the PageRequest for a list of `kind`: `page: Annotated[PageRequest, listed(Order, equal(Order.number))]`.

    `sort` are the columns to sort by besides `id`. `masks` names parameters, and columns to sort by, that tell of something masked: they are refused
    to those who lack the scope (`tailrace.http.masks`). Raises TypeError for one that may hold NULL: rows would be lost between pages.
    """
    sortable: dict[str, Column] = {"id": kind.id, **{column.key: column for column in sort}}
    for column in sortable.values():
        if column.property.columns[0].nullable:
            raise TypeError(f"{column} may be NULL: rows would be lost between pages")
    known = {each.name: each for each in filters}

    async def page(*, limit: int, cursor: str | None, sort: str | None, tx: Any = None, **given: Any) -> PageRequest:
        asked = {name for name, value in given.items() if value is not None}
        for name, scope in masks.items():
            ensure_shown(scope, asked & {name})
            ensure_shown(scope, {"sort"} if (sort or default).removeprefix("-") == name else ())
        conditions = [await _condition(tx, known[name], value) for name, value in given.items() if value is not None]
        return PageRequest(sortable, sort or default, limit, cursor, conditions)

    parameters = [*(each.parameter for each in filters), *_paging(sortable, default)]
    if any(each.days for each in filters):
        parameters.append(Parameter("tx", Parameter.KEYWORD_ONLY, annotation=RouteTx))
    # FastAPI reads the query's parameters from the signature.
    page.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return Depends(page)


async def _condition(tx: Tx, filter: Filter, value: Any) -> ColumnElement[bool]:
    if filter.days is None:
        return filter.condition(value)
    moment = await filter.days.begin_of(tx, value)
    plain_day = not isinstance(value, datetime)
    return filter.of_day(moment, value) if plain_day and filter.of_day is not None else filter.condition(moment)


def _paging(sortable: Iterable[str], default: str) -> Iterator[Parameter]:
    fields = ", ".join(f"`{name}`" for name in sorted(sortable))
    order = f"One of {fields}; `-` before it for descending. `{default}` when left out."
    known = {f"{sign}{name}": name.upper() + named for name in sorted(sortable) for sign, named in _DIRECTIONS}
    # Without names for them, `-id` is called VALUE_1 in clients.
    said = {"enum": [*known], "x-enum-varnames": [*known.values()]}
    kind = Parameter.KEYWORD_ONLY
    yield Parameter("limit", kind, default=LIMIT, annotation=Limit)
    yield Parameter("cursor", kind, default=None, annotation=Cursor)
    yield Parameter(
        "sort",
        kind,
        default=None,
        annotation=Annotated[str | None, Query(max_length=60, description=order, json_schema_extra=said)],
    )


async def paginate(
    tx: Tx, query: Select[Item] | Callable[[PageRequest], Select[Item]], page: PageRequest
) -> Listing[Item]:
    """One page of `query`, whose only entity is the mapped class that `page` is of. A query may also be made for each page, for instance out of what
    `rows_of` reads of each of several parts.

    Raises BadRequest for an unknown sort or a cursor that is not one of this list's; Exporting when all of it is wanted.
    """
    if exports.is_wanted():
        _order(page.sort, page.sortable)
        raise exports.Exporting(partial(_pages, query, page))
    return await _page(tx, query, page)


async def _pages(
    query: Select[Item] | Callable[[PageRequest], Select[Item]], page: PageRequest, tx: Tx
) -> AsyncIterator[Sequence[Item]]:
    """All pages, from the one asked for on."""
    cursor = page.cursor
    while True:
        listing = await _page(tx, query, replace(page, limit=OF_EXPORT, cursor=cursor))
        yield listing.items
        if (cursor := listing.next_cursor) is None:
            return


def rows_of(query: Select[Any], page: PageRequest) -> Select[Any]:
    """The rows of a page and one more, in its order. Raises BadRequest."""
    key = page.sortable["id"]
    name, descending = _order(page.sort, page.sortable)
    column = page.sortable[name]
    query = page.narrowed(query)
    if page.cursor is not None:
        after = _decode(page.cursor, column, key, page.sort)
        here = tuple_(column, key)
        query = query.where(here < after if descending else here > after)
    order = (column.desc(), key.desc()) if descending else (column.asc(), key.asc())
    return query.order_by(*order).limit(page.limit + 1)


async def _page(
    tx: Tx, query: Select[Item] | Callable[[PageRequest], Select[Item]], page: PageRequest
) -> Listing[Item]:
    made = query if isinstance(query, Select) else query(page)
    return _listing(list(await tx.scalars(rows_of(made, page))), page)


async def paginate_parts(
    tx: Tx, query: Select[Item], page: PageRequest, parts: AsyncIterator[ColumnElement[bool]]
) -> Listing[Item]:
    """One page of `query` where its rows come part by part, each condition being of those that follow the ones before in the page's order."""
    rows: list[Item] = []
    async for part in parts:
        rows += await tx.scalars(rows_of(query.where(part), page).limit(page.limit + 1 - len(rows)))
        if len(rows) > page.limit:
            break
    return _listing(rows, page)


def start_of(page: PageRequest) -> Any:
    """The value of the sorted column that the page begins at or behind; None for the first page. Raises BadRequest."""
    if page.cursor is None:
        return None
    name, _ = _order(page.sort, page.sortable)
    return _values(page.cursor, page.sortable[name], page.sortable["id"], page.sort)[0]


def _listing(rows: list[Item], page: PageRequest) -> Listing[Item]:
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    name, _ = _order(page.sort, page.sortable)
    cursor = _encode(shown[-1], page.sortable[name], page.sortable["id"], page.sort) if more else None
    return Listing(shown, cursor)


def _order(sort: str, known: Mapping[str, Column]) -> tuple[str, bool]:
    name = sort.removeprefix("-")
    if name not in known:
        detail = f"Sort by one of {', '.join(sorted(known))}."
        raise BadRequest(detail, field="sort")
    return name, sort.startswith("-")


def _encode(row: Any, column: Column, key: Column, sort: str) -> str:
    values = [str(getattr(row, c.key)) for c in (column, key)]
    text = json.dumps([_list(key, sort), *values], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _list(key: Column, sort: str) -> str:
    """What a cursor is good for: the rows of a table, in an order."""
    # A class may be mapped to a join, which has no name.
    return f"{key.property.columns[0].table.name} {sort}"


def _decode(cursor: str, column: Column, key: Column, sort: str) -> Any:
    return tuple_(*_values(cursor, column, key, sort))


def _values(cursor: str, column: Column, key: Column, sort: str) -> list[Any]:
    try:
        made_for, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != _list(key, sort):
            raise ValueError("made for another list, or another sort")
        return [_value(c, text) for c, text in zip((column, key), values, strict=True)]
    except (ValueError, TypeError, ArithmeticError, RecursionError, binascii.Error) as error:
        detail = "Not a cursor of this list; begin without one."
        raise BadRequest(detail, field="cursor") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("half a moment")
    return moment.astimezone(UTC)


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError("no number of ours")
    return number


def _whole(text: str) -> int:
    number = int(text) if len(text) < _MOST_DIGITS else _LARGEST + 1
    if abs(number) > _LARGEST:
        raise ValueError("no number of ours")
    return number


def _text(text: str) -> str:
    text.encode()  # UnicodeEncodeError for half a character, a ValueError
    return text


_READERS: Mapping[type, Any] = {
    UUID: UUID,
    datetime: _moment,
    date: date.fromisoformat,
    Decimal: _decimal,
    int: _whole,
    str: _text,
}


def _value(column: Column, text: Any) -> Any:
    if not isinstance(text, str) or "\x00" in text:
        raise ValueError("not a value that a cursor holds")
    return _READERS[column.type.python_type](text)
