"""Every list answers `Accept: text/csv`, or that of XLSX, with all of it: the same filters, scopes and order, one snapshot, a page at a time.

`paginate` raises `Exporting` in place of a page when that was asked for, and the route answers with the rows instead. So a list has an export without
saying so, and cannot have one that shows more than it does. A report that reckons something for each row raises it itself (`pages_of`). What a list
says beside its rows, its file says in headers and on a sheet of its own (`beside`); rows of CSV are rows alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, get_args
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.requests import Request

from tailrace.core.context import Context
from tailrace.core.errors import Unavailable
from tailrace.db.database import Database, Tx
from tailrace.http.files import csv_text, xlsx
from tailrace.http.files.disposition import disposition
from tailrace.http.preferences import weighed

CSV, XLSX = "text/csv", xlsx.MEDIA_TYPE
_JSON = "application/json"
_PAGE = {"items", "next_cursor"}
_AT_ONCE = 4
"""Exports that one process has under way: each holds a connection to the database for as long as its client reads."""
_SECONDS = 900.0
_wanted: ContextVar[bool] = ContextVar("exporting", default=False)
_under_way = 0

Pages = Callable[[Tx], AsyncIterator[Sequence[Any]]]
Pieces = Callable[[Tx], AsyncIterator[str]] | Callable[[Tx], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a file says beside its rows: in headers of the answer, and where the format has sheets, on one that follows them."""

    headers: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    rows: Sequence[Sequence[Any]] = ()


class Exporting(Exception):
    """All of a list is wanted: `pages` reads it in the list's order."""

    def __init__(self, pages: Pages) -> None:
        super().__init__("an export")
        self.pages = pages
        self.beside = Beside()


class Paged(Protocol):
    """A page of a report."""

    @property
    def items(self) -> Sequence[Any]: ...

    @property
    def next_cursor(self) -> str | None: ...


def pages_of(read: Callable[[Tx, str | None], Awaitable[Paged]], cursor: str | None) -> Pages:
    """All pages of a report from the one asked for on, `read` making one: for the `Exporting` of who makes more of rows than `paginate` returns.

    It is read in another transaction: `read` holds no row of the one before.
    """

    async def pages(tx: Tx) -> AsyncIterator[Sequence[Any]]:
        place = cursor
        while True:
            page = await read(tx, place)
            yield page.items
            if (place := page.next_cursor) is None:
                return

    return pages


class Writer(Protocol):
    """A file that is written while it is sent. Each method returns what of it is ready."""

    def add(self, rows: Sequence[Sequence[Any]]) -> bytes: ...

    def end(self, sheet: str = "", rows: Sequence[Sequence[Any]] = ()) -> bytes: ...


class CsvWriter:
    def __init__(self, name: str, headings: Sequence[str]) -> None:
        self._begin = csv_text.BOM + csv_text.line(headings)

    def add(self, rows: Sequence[Sequence[Any]]) -> bytes:
        text, self._begin = self._begin + "".join(map(csv_text.line, rows)), ""
        return text.encode("utf-8", "replace")

    def end(self, sheet: str = "", rows: Sequence[Sequence[Any]] = ()) -> bytes:
        return self.add(())


WRITERS: Mapping[str, tuple[str, Callable[[str, Sequence[str]], Writer]]] = {
    CSV: ("csv", CsvWriter),
    XLSX: ("xlsx", xlsx.Workbook),
}
"""What a list can be had as: how the file's name ends, and who writes it."""


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


@contextmanager
def beside(said: Callable[[], Beside]) -> Iterator[None]:
    """Let a file that is asked for while this lasts say so much beside its rows."""
    try:
        yield
    except Exporting as asked:
        asked.beside = said()
        raise


def view_of(model: Any) -> type[BaseModel] | None:
    """What a list shows of each of its rows; None when the model is no page of a list. A report that has more than rows is a list of them."""
    if not (isinstance(model, type) and issubclass(model, BaseModel) and model.model_fields.keys() >= _PAGE):
        return None
    (view,) = get_args(model.model_fields["items"].annotation)
    return view if isinstance(view, type) and issubclass(view, BaseModel) else None


def asked_for(request: Request) -> str | None:
    """The kind of file that `Accept` names; None when it names none, or likes JSON as much and names that before it, or better."""
    weights = weighed(request.headers, "accept")
    named = {kind: weight for kind, weight in weights.items() if weight and (kind in WRITERS or kind == _JSON)}
    best = max(named, key=lambda kind: named[kind], default=_JSON)
    anything = max(weights.get(kind, 0.0) for kind in ("*/*", "application/*"))
    return best if best in WRITERS and named[best] >= anything else None


def file_answer(
    database: Database,
    context: Context,
    asked: Exporting,
    view: type[BaseModel],
    name: str,
    kind: str,
    owners: frozenset[UUID] | None,
) -> StreamingResponse:
    """Of the rows that have an owner, those of `owners`; everybody's when that is None. Raises Unavailable when as many are under way as may be."""
    _ensure_room()
    ending, writer = WRITERS[kind]
    blocks = partial(_blocks, asked, view, partial(writer, name), owners)
    headers = {"Content-Disposition": disposition(f"{name}.{ending}"), "Vary": "Accept", **asked.beside.headers}
    return StreamingResponse(_told(database, context, blocks), media_type=kind, headers=headers)


def text_answer(database: Database, context: Context, pieces: Pieces, media_type: str, file: str) -> StreamingResponse:
    """Whatever `pieces` makes of one snapshot, piece by piece, as a file of this name. Raises Unavailable as `file_answer` does."""
    _ensure_room()
    saved = {"Content-Disposition": disposition(file)}
    return StreamingResponse(_told(database, context, pieces), media_type=media_type, headers=saved)


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


async def _blocks(
    asked: Exporting,
    view: type[BaseModel],
    begin: Callable[[Sequence[str]], Writer],
    owners: frozenset[UUID] | None,
    tx: Tx,
) -> AsyncIterator[bytes]:
    if owners is not None:
        tx.narrow(owners)
    names = columns(view)
    writer = begin(names)
    async for rows in asked.pages(tx):
        if block := writer.add([cells(view, names, row) for row in rows]):
            yield block
        tx.expunge_all()
    yield writer.end(asked.beside.sheet, asked.beside.rows)


async def _told(database: Database, context: Context, pieces: Pieces) -> AsyncIterator[str | bytes]:
    global _under_way
    _under_way += 1
    try:
        async with asyncio.timeout(_SECONDS), database.snapshot(context) as tx:
            async for piece in pieces(tx):
                yield piece
    finally:
        _under_way -= 1
