"""Every list answers `Accept: text/csv` with all of it: the same filters, scopes and order, one snapshot, a page at a time.

`paginate` raises `Exporting` in place of a page when that was asked for, and the route answers with the rows instead. So a list has an export without
saying so, and cannot have one that shows more than it does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, get_args
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.requests import Request

from tailrace.core.context import Context
from tailrace.core.errors import Unavailable
from tailrace.db.database import Database, Tx
from tailrace.http import csv_text

CSV = "text/csv"
_PAGE = {"items", "next_cursor"}
_AT_ONCE = 4
"""Exports that one process has under way: each holds a connection to the database for as long as its client reads."""
_SECONDS = 900.0
_wanted: ContextVar[bool] = ContextVar("exporting", default=False)
_under_way = 0

Pages = Callable[[Tx], AsyncIterator[Sequence[Any]]]
Lines = Callable[[Tx], AsyncIterator[str]]


class Exporting(Exception):
    """All of a list is wanted: `pages` reads it in the list's order."""

    def __init__(self, pages: Pages) -> None:
        super().__init__("an export")
        self.pages = pages


class CsvAnswer(StreamingResponse):
    media_type = CSV


def is_wanted() -> bool:
    return _wanted.get()


@contextmanager
def wanted() -> Iterator[None]:
    """While this lasts, lists are read whole."""
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)


def view_of(model: Any) -> type[BaseModel] | None:
    """What a list shows of each of its rows; None when the model is no page of a list."""
    if not (isinstance(model, type) and issubclass(model, BaseModel) and model.model_fields.keys() == _PAGE):
        return None
    (view,) = get_args(model.model_fields["items"].annotation)
    return view if isinstance(view, type) and issubclass(view, BaseModel) else None


def asks_for_csv(request: Request) -> bool:
    """Whether `Accept` names CSV, and JSON not before it."""
    kinds = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")]
    return CSV in kinds and "application/json" not in kinds[: kinds.index(CSV)]


def csv_answer(
    database: Database,
    context: Context,
    pages: Pages,
    view: type[BaseModel],
    name: str,
    owners: frozenset[UUID] | None,
) -> CsvAnswer:
    """Of the rows that have an owner, those of `owners`; everybody's when that is None. Raises Unavailable when as many are under way as may be."""
    _ensure_room()
    disposition = f'attachment; filename="{name}.csv"'
    lines = partial(_lines, pages, view, owners)
    return CsvAnswer(_told(database, context, lines), headers={"Content-Disposition": disposition})


def text_answer(database: Database, context: Context, lines: Lines, media_type: str, file: str) -> StreamingResponse:
    """Whatever `lines` makes of one snapshot, piece by piece, as a file of this name. Raises Unavailable as `csv_answer` does."""
    _ensure_room()
    disposition = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingResponse(_told(database, context, lines), media_type=media_type, headers=disposition)


def _ensure_room() -> None:
    if _under_way >= _AT_ONCE:
        raise Unavailable("Other lists are being exported; ask again shortly.", retry_after=5)


def columns(view: type[BaseModel]) -> list[str]:
    """The view's fields but those that are masked for the caller: an empty column would be imported as values that were taken away."""
    return [name for name, field in view.model_fields.items() if not (field.exclude_if and field.exclude_if(None))]


def cells(view: type[BaseModel], names: Sequence[str], row: Any) -> list[Any]:
    """A row as its list shows it: the values of these fields of the view, what is not simple in the form of JSON."""
    shown = view.model_validate(row, from_attributes=True)
    values = [getattr(shown, name) for name in names]
    return [to_jsonable_python(value) if isinstance(value, BaseModel | list | dict) else value for value in values]


async def _lines(pages: Pages, view: type[BaseModel], owners: frozenset[UUID] | None, tx: Tx) -> AsyncIterator[str]:
    if owners is not None:
        tx.narrow(owners)
    names = columns(view)
    yield csv_text.BOM + csv_text.line(names)
    async for rows in pages(tx):
        yield "".join(csv_text.line(cells(view, names, row)) for row in rows)
        tx.expunge_all()


async def _told(database: Database, context: Context, lines: Lines) -> AsyncIterator[str]:
    global _under_way
    _under_way += 1
    try:
        async with asyncio.timeout(_SECONDS), database.snapshot(context) as tx:
            async for piece in lines(tx):
                yield piece
    finally:
        _under_way -= 1
