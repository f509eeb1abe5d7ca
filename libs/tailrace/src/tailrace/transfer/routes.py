"""An upload becomes a job: read and checked as a file at once, so that what cannot be read is refused, then imported row by row.

`imports_router(importable, "/v1/customers", read, write)` has `POST …/import` and `GET …/jobs/{job_id}/refused`, the rows that were refused with
reasons, as a file that can be mended and sent again. It stands before the routers whose paths would take `jobs` for an id.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal
from unicodedata import normalize
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from tailrace.core.context import Context, Principal
from tailrace.core.errors import Forbidden, MediaTypeRefused, Unknown
from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.db.database import Tx as Transaction
from tailrace.db.tables import job_piece
from tailrace.http.auth import Requires, Scope
from tailrace.http.files import csv_text
from tailrace.http.routing import TenantRoute, Tx, like, tenant_router
from tailrace.jobs.kinds import piece, put_piece
from tailrace.jobs.routes import JobView, accepted, own_job
from tailrace.transfer import child
from tailrace.transfer.child import UnreadableFile
from tailrace.transfer.columns import HeaderWrong, paths_of
from tailrace.transfer.importable import Importable
from tailrace.transfer.importing import REFUSED, ROWS

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST = 32 * 1024 * 1024
"""Bytes of a file; the service exposes the path with this as its `body_limit`."""
Encoding = Annotated[
    Literal["utf-8", "cp932", "cp1252"] | None,
    Query(
        description="How a CSV file is written that is neither UTF-8 nor says so itself: `cp932` in Japan, `cp1252` in the West."
    ),
]
DryRun = Annotated[bool, Query(description="Whether only to say what would become of the rows, and change nothing.")]
_ROWS_OF_PIECE, _LARGEST_PIECE, _ROWS_OF_DOCUMENT = 250, 256 * 1024, 1000
_BLOCK = 64 * 1024
_ZIP = b"PK\x03\x04"


class ImportRoute(TenantRoute):
    """Takes a file of rows, which may be larger than other bodies."""

    body_limit: ClassVar[int] = LARGEST


class CsvResponse(StreamingResponse):
    media_type = CSV


def imports_router(
    importable: Importable, prefix: str, read: Scope, *write: Scope, jobs: str | None = None, shows_refused: bool = True
) -> APIRouter:
    """Routes of one importable under the path of its list; `write` are the scopes that its command asks for over HTTP.

    `jobs` is where the service shows its jobs; under the same path when left out. Of several imports with the same `jobs`, one `shows_refused` rows,
    whichever of them refused these.
    """
    at = jobs or f"{prefix}/jobs"
    router = tenant_router("", tag=at.removeprefix("/v1/").replace("/", " "))
    noun = importable.name.replace("-", "_")
    writer, reader = Annotated[Principal, Requires(*write)], Annotated[Principal, Requires(read)]

    async def import_rows(
        tx: Tx,
        who: writer,  # type: ignore[valid-type]
        request: Request,
        response: Response,
        encoding: Encoding = None,
        dry_run: DryRun = False,
    ) -> Any:
        """Import a file of rows, CSV or XLSX, through the command that makes one: the answer is a job. The same file again changes nothing."""
        if tx.owners is not None:
            raise Forbidden(
                f"An import makes rows of everybody's: this needs the scope {' '.join(scope.name for scope in write)} for all of them."
            )
        content = await _content(request)
        id = uuid7()
        rows = await _store(tx, importable, id, content, encoding)
        _ensure_allowed(who, importable, rows.paths)
        parameters = {"dry_run": dry_run, "header": rows.header, "paths": rows.paths}
        await importable.job.start(tx, parameters, total=rows.total, id=id)
        accepted(response, at, id)
        return await own_job(tx, who, id)

    async def read_refused(tx: Tx, who: reader, request: Request, job_id: UUID) -> Response:  # type: ignore[valid-type]
        """The rows that an import refused, with the reasons, as CSV."""
        job = await own_job(tx, who, job_id)
        if "header" not in job.parameters:
            raise Unknown("Import", job_id)
        header = [*job.parameters["header"], "row", "column", "reason"]
        numbers = select(job_piece.c.number).where(
            job_piece.c.tenant_id == tx.tenant_id, job_piece.c.job_id == job_id, job_piece.c.name == REFUSED
        )
        found = list(await tx.scalars(numbers.order_by(job_piece.c.number)))
        name = f'attachment; filename="{job.kind.partition(".")[2]}-refused.csv"'
        lines = _refused(request.app.state.database, tx.context, job_id, header, found)
        return CsvResponse(lines, headers={"Content-Disposition": name})

    import_rows.__name__, read_refused.__name__ = f"import_{noun}", "read_refused_rows"
    file = {"schema": {"type": "string", "format": "binary"}}
    router.add_api_route(
        f"{prefix}/import",
        import_rows,
        methods=["POST"],
        status_code=202,
        response_model=JobView,
        openapi_extra={"requestBody": {"required": True, "content": {CSV: file, XLSX: file}}},
        route_class_override=like(router, ImportRoute),
    )
    if shows_refused:
        router.add_api_route(f"{at}/{{job_id}}/refused", read_refused, methods=["GET"], response_class=CsvResponse)
    return router


def _ensure_allowed(who: Principal, importable: Importable, paths: Sequence[str]) -> None:
    """Raises Forbidden for a column whose values the caller could not set by itself either."""
    for each in importable.all_columns:
        if each.scope is not None and each.path in paths and not who.may(each.scope.name):
            detail = f'The column "{each.title}" needs the scope {each.scope.name}; leave it out of the file.'
            raise Forbidden(detail, field=f"/{each.path}")


async def _content(request: Request) -> bytes:
    """Raises MediaTypeRefused for a file that is not said to be of a kind that is read, or is of the other one."""
    if "content-encoding" in request.headers:
        raise MediaTypeRefused("Send the file without a Content-Encoding.", field="Content-Encoding")
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said not in {CSV, XLSX}:
        raise MediaTypeRefused(f"Send the file as {CSV} or {XLSX}, and say so.", accept=f"{CSV}, {XLSX}")
    content = await request.body()
    if not content:
        raise UnreadableFile("The file is empty.")
    if content.startswith(_ZIP) != (said == XLSX):
        raise MediaTypeRefused(f"This is not {said}, which it is said to be.", accept=f"{CSV}, {XLSX}")
    return content


async def _store(tx: Transaction, importable: Importable, id: UUID, content: bytes, encoding: str | None) -> "_Cutter":
    """Keep the rows, in pieces of whole documents. Raises UnreadableFile: nothing is kept then."""
    cutter = _Cutter(importable)
    async for number, row in _numbered(child.rows(_blocks(content), encoding)):
        for finished in cutter.add(number, row):
            await put_piece(tx, id, ROWS, cutter.pieces, finished)
            cutter.pieces += 1
    if (last := cutter.end()) is not None:
        await put_piece(tx, id, ROWS, cutter.pieces, last)
    if not cutter.total:
        raise UnreadableFile("There is no row below the headings.")
    return cutter


def _blocks(content: bytes) -> Iterator[bytes]:
    return (content[at : at + _BLOCK] for at in range(0, len(content), _BLOCK))


async def _numbered(rows: AsyncIterator[list[str]]) -> AsyncIterator[tuple[int, list[str]]]:
    """Rows by their number in the file, without those in which nothing stands."""
    number = 0
    async for row in rows:
        number += 1
        if any(cell.strip() for cell in row):
            yield number, row


class _Cutter:
    """Parts rows into documents, and documents into pieces of a bounded size."""

    def __init__(self, importable: Importable) -> None:
        self._of = importable
        self.header: list[str] = []
        self.paths: list[str] = []
        self._naming: list[int] = []
        self._codes: dict[str, int] = {}
        self.total = 0
        self.pieces = 0
        self._documents: list[dict[str, Any]] = []
        self._rows = 0
        self._size = 0

    def add(self, number: int, row: list[str]) -> Iterator[bytes]:
        """A row; the piece that is full with it, if one is. Raises UnreadableFile for a header that is none, and a document that is too long."""
        if not self.paths:
            self._read_header(row)
            return
        self.total += 1
        continues = self._continues(row)
        if not continues:
            if self._rows >= _ROWS_OF_PIECE or self._size > _LARGEST_PIECE:
                yield self._cut()
            self._documents.append({"row": number, "rows": [], **self._twice(number, row)})
        rows = self._documents[-1]["rows"]
        if len(rows) >= _ROWS_OF_DOCUMENT:
            raise UnreadableFile(f"Row {number}: at most {_ROWS_OF_DOCUMENT} rows make one document.")
        rows.append(row)
        self._rows += 1
        self._size += sum(map(len, row))

    def end(self) -> bytes | None:
        return self._cut() if self._documents else None

    def _read_header(self, row: list[str]) -> None:
        try:
            self.paths = paths_of(row, self._of.all_columns, self._of.ignored)
        except HeaderWrong as error:
            raise UnreadableFile(str(error)) from None
        self.header = row[: len(self.paths)]
        self._naming = [index for index, path in enumerate(self.paths) if path in self._of.document]

    def _twice(self, number: int, row: list[str]) -> dict[str, int]:
        """Where the code of the row stood before: of two rows for one thing, each import would undo the other."""
        kind = self._of.kind
        if kind is None or kind.code_field not in self.paths:
            return {}
        code = csv_text.plain(_cell(row, self.paths.index(kind.code_field)))
        first = self._codes.setdefault(kind.key_of(code), number) if code else number
        return {} if first == number else {"first": first}

    def _continues(self, row: list[str]) -> bool:
        """Whether a row belongs to the document of the row above."""
        if self._of.lines is None or not self._documents:
            return False
        first = self._documents[-1]["rows"][0]
        cells = [(_spelled(row, index), _spelled(first, index)) for index in self._naming]
        return all(not now or now == before for now, before in cells)

    def _cut(self) -> bytes:
        content = json.dumps(self._documents, ensure_ascii=False).encode("utf-8", "replace")
        self._documents, self._rows, self._size = [], 0, 0
        return content


def _cell(row: list[str], index: int) -> str:
    return row[index].strip() if index < len(row) else ""


def _spelled(row: list[str], index: int) -> str:
    """As the command will keep it: two spellings of a name are one document."""
    return normalize("NFC", csv_text.plain(_cell(row, index)))


async def _refused(
    database: Database, context: Context, job_id: UUID, header: list[str], numbers: list[int]
) -> AsyncIterator[str]:
    """The file, a piece and a short transaction at a time, so that no slow reader holds one."""
    yield csv_text.BOM + csv_text.line(header)
    width = len(header) - 3
    for number in numbers:
        async with database.transaction(context, read_only=True) as tx:
            content = await piece(tx, job_id, REFUSED, number) or b""
        for entry in map(json.loads, content.decode().splitlines()):
            cells = [*entry["cells"], *[""] * width][:width]
            yield csv_text.line([*cells, entry["row"], entry["column"], entry["reason"]])
