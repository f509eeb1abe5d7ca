"""A piece of a file at a time, a transaction each: rows are looked up together, checked, and put through the command that HTTP uses.

They are applied under one savepoint; when something is refused, the half it is in is tried again in halves, until that row is alone. So good rows are
kept, and a file without mistakes costs one savepoint a piece.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal
from unicodedata import normalize

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tailrace.core.errors import NotYetKnown, Problem
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx
from tailrace.db.error_classes import is_conflict, is_transient, is_uncertain
from tailrace.db.tables import job_mark
from tailrace.http.protocol.problem_details import fields_of, problem_of
from tailrace.jobs.kinds import JobKind, Later, Run, piece, put_piece
from tailrace.transfer.columns import cells_of, kinds_of, located, put, value_of, without_empty
from tailrace.transfer.entries import SeveralAreCalledSo, lined_up
from tailrace.transfer.importable import Importable

ROWS, REFUSED = "rows", "refused"
"""The pieces of a job: what it is to import, and what it refused, with reasons."""
_MOST_TRIES = 5
_MOST_REASONS, _LONGEST_QUOTED = 10, 60
"""Of a row, and characters of a cell in them: a long cell that many rows are compared with is not repeated in each."""
Became = Literal["created", "replaced", "unchanged", "refused"]
_MARK = insert(job_mark)


class _Undo(Exception):
    """Ends the savepoint of a preview."""


@dataclass
class _Document:
    """One or several rows that make one thing."""

    row: int
    """The number of its first row in the file, whose header is 1."""
    rows: list[list[str]]
    first: int | None = None
    """The row that has the same code, further up in the file."""
    said: dict[str, Any] = field(default_factory=dict)
    """The body as far as the file says it."""
    emptied: list[str] = field(default_factory=list)
    """Properties that the file has a column for, and nothing in it."""
    body: Any = None
    existing: Any = None
    version: int | None = None
    """That of what is there already, when the body was made over it."""
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    """Path, row within the document, reason."""
    became: Became | None = None
    passes: bool = False
    """Whether what is wrong is that something has not arrived here yet."""


def serve(importable: Importable) -> JobKind:
    """The job of an importable, which goes through a file by its pieces."""

    @importable.job.chunk
    async def go_on(tx: Tx, run: Run) -> None:
        await import_piece(importable, tx, run)

    return importable.job


async def import_piece(importable: Importable, tx: Tx, run: Run) -> None:
    """The next piece of the file, and what became of its rows. Raises Later for rows that name what has not arrived here yet, a few times."""
    number = int(run.checkpoint.get("piece", 0))
    content = await piece(tx, run.id, ROWS, number)
    if content is None:
        run.finish()
        return
    documents = [_Document(each["row"], each["rows"], each.get("first")) for each in json.loads(content)]
    importer = _Importer(importable, tx, run)
    await importer.apply(documents)
    if run.attempt < _MOST_TRIES and any(each.passes for each in documents):
        raise Later
    refused = [entry for each in documents if each.became == "refused" for entry in importer.refusals(each)]
    if refused:
        text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in refused)
        await put_piece(tx, run.id, REFUSED, number, text.encode())
    for entry in refused[:5]:
        run.say(f"Row {entry['row']}, {entry['column'] or 'the whole row'}: {entry['reason']}")
    rows = sum(len(each.rows) for each in documents)
    counts = {name: sum(each.became == name for each in documents) for name in {each.became for each in documents}}
    run.advance({"piece": number + 1}, done=rows, **{str(name): count for name, count in counts.items()})
    if run.total is not None and run.done >= run.total:
        run.finish()


class _Importer:
    def __init__(self, importable: Importable, tx: Tx, run: Run) -> None:
        self._of = importable
        self._tx = tx
        self._paths: Sequence[str] = run.parameters["paths"]
        self._only_preview = bool(run.parameters.get("dry_run"))
        self._columns = importable.all_columns
        self._in_file = [each for each in self._columns if each.path in self._paths]
        self._kinds = kinds_of(importable.body, importable.columns)
        self._calendar: Calendar | None = None

    async def apply(self, documents: Sequence[_Document]) -> None:
        if self._of.days is not None and "moment" in self._kinds.values():
            self._calendar = await self._of.days.calendar(self._tx)
        for document in documents:
            self._read(document)
        await self._refer(documents)
        await self._look_up(documents)
        for document in documents:
            self._check(document)
        await self._skip_marked(documents)
        await self._together([each for each in documents if each.became is None])

    def refusals(self, document: _Document) -> list[dict[str, Any]]:
        """What the file of refused rows says: each of the document's rows, with what is wrong where."""
        by_row: dict[int, list[tuple[str, str]]] = {}
        for path, row, reason in document.faults or [("", 0, "It was refused.")]:
            by_row.setdefault(min(row, len(document.rows) - 1), []).append((path, reason))
        titles = {each.path: each.title for each in self._columns}
        first = document.faults[0][2] if document.faults else ""
        return [
            {
                "row": document.row + index,
                "cells": cells,
                "column": ", ".join(dict.fromkeys(titles.get(path, path) for path, _ in by_row.get(index, ()) if path)),
                "reason": _joined(reason for _, reason in by_row.get(index, ()))
                or f"Another row of it is refused: {first}",
            }
            for index, cells in enumerate(document.rows)
        ]

    def _read(self, document: _Document) -> None:
        lines = self._of.lines
        if document.first is not None and self._of.kind is not None:
            document.faults.append((self._of.kind.code_field, 0, f"The same stands in row {document.first}."))
        for index, row in enumerate(document.rows):
            if any(cell.strip() for cell in row[len(self._paths) :]):
                document.faults.append(("", index, "There are more cells than headings."))
            for path, text in cells_of(row, self._paths):
                parts = path.split(".")
                in_line = lines is not None and parts[0] == lines
                if in_line:
                    parts = [parts[0], str(index), *parts[1:]]
                elif index:
                    first = dict(cells_of(document.rows[0], self._paths))[path]
                    if text and normalize("NFC", text) != normalize("NFC", first):
                        document.faults.append((path, index, f"It is {_quoted(first)} in row {document.row}."))
                    continue
                if text:
                    put(document.said, parts, value_of(text, self._kinds.get(path, "text"), self._calendar))
                elif parts[0] == path:
                    document.emptied.append(path)

    async def _refer(self, documents: Sequence[_Document]) -> None:
        """Put ids in the place of codes."""
        for reference in self._of.references:
            path = reference.column.path
            places = [
                (document, holder, index)
                for document in documents
                for holder, index in _holders(document.said, path, self._of.lines)
            ]
            codes = {str(holder[_last(path)]) for _, holder, _ in places}
            found = await reference.find(self._tx, codes) if codes else {}
            for document, holder, index in places:
                code = str(holder.pop(_last(path)))
                if code in found:
                    holder[_last(reference.to)] = str(found[code])
                else:
                    document.faults.append((path, index, f"There is no {_cut(code)} here."))
                    document.passes = document.passes or not found

    async def _look_up(self, documents: Sequence[_Document]) -> None:
        """The rows that are there already, of master data."""
        kind = self._of.kind
        if kind is None:
            return
        keys = {id(each): kind.key_of(str(code)) for each in documents if (code := each.said.get(kind.code_field))}
        query = select(kind).where(kind.code_key.in_(set(keys.values())), kind.deleted_at.is_(None))
        there = {row.code_key: row for row in await self._tx.scalars(query)} if keys else {}
        for each in documents:
            each.existing = there.get(keys.get(id(each), ""))

    def _check(self, document: _Document) -> None:
        """Make the body: what is said, over what is there already."""
        said = without_empty({**self._of.given, **self._overlaid(document)})
        try:
            document.body = self._of.body.model_validate(said)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                # The body says that the id, or one of several, is missing where a code was not known.
                if not (document.faults and (each["type"] == "missing" or not each["loc"])):
                    fields = fields_of({**each, "loc": ("body", *each["loc"])})
                    places = [located(name, self._in_file, self._of.lines) for name in fields]
                    document.faults += [(*place, str(each["msg"])) for place in places]
        if document.faults:
            document.became = "refused"
        elif document.existing is not None:
            document.version = document.existing.version
            if not self._of.differs(document.existing, document.body):
                document.became = "unchanged"

    def _overlaid(self, document: _Document) -> dict[str, Any]:
        if document.existing is None:
            return document.said
        names = self._of.body.model_fields
        there = {name: getattr(document.existing, name) for name in names if hasattr(document.existing, name)}
        state = self._of.state(document.existing) if self._of.state is not None else {}
        present: dict[str, Any] = to_jsonable_python({**there, **state})
        for name in document.emptied:
            present.pop(name, None)
        if self._of.lines in document.said:
            # Its rows are all of them: what stood behind the last one is not said any more.
            present.pop(str(self._of.lines), None)
        for name, known_by in self._of.named.items():
            if isinstance(document.said.get(name), list):
                try:
                    present[name] = lined_up(present.get(name, []), document.said[name], known_by)
                except SeveralAreCalledSo as error:
                    path, row = located(f"/{name}/{error.at}/{known_by}", self._in_file, self._of.lines)
                    document.faults.append((path, row, str(error)))
        merged: dict[str, Any] = _merged(present, document.said)
        return merged

    async def _skip_marked(self, documents: Sequence[_Document]) -> None:
        """What was imported before, and is not known by a code, is not imported again."""
        marks: dict[bytes, list[_Document]] = {}
        for each in documents:
            if each.became is None and self._is_marked(each):
                marks.setdefault(self._mark(each)[0], []).append(each)
        if not marks:
            return
        c = job_mark.c
        query = select(c.key, c.digest).where(c.kind == self._of.job.name, c.key.in_(marks))
        for key, digest in await self._tx.execute(query):
            for document in marks[bytes(key)]:
                if bytes(digest) == self._mark(document)[1]:
                    document.became = "unchanged"
                else:
                    document.became = "refused"
                    document.faults.append(
                        ("", 0, "It was imported before, with other content, and cannot be replaced.")
                    )

    def _is_marked(self, document: _Document) -> bool:
        kind = self._of.kind
        return kind is None or (document.existing is None and getattr(document.body, kind.code_field) is None)

    def _mark(self, document: _Document) -> tuple[bytes, bytes]:
        """Digests of what names it and of what it is."""
        assert isinstance(document.body, BaseModel)
        content = hashlib.sha256(document.body.model_dump_json().encode()).digest()
        name = self._of.key(document.body) if self._of.key is not None else None
        return (content if name is None else hashlib.sha256(name.encode()).digest()), content

    async def _together(self, documents: Sequence[_Document]) -> None:
        """Apply them under one savepoint, or else in halves."""
        if not documents:
            return
        became: list[Became] = []
        try:
            async with self._tx.begin_nested():
                with self._tx.writing_together() if self._of.flush_later else nullcontext():
                    for document in documents:
                        became.append(await self._one(document))
                await self._tx.settle()
                if self._only_preview:
                    raise _Undo
        except _Undo:
            pass
        except Exception as error:
            if is_transient(error) or is_conflict(error) or is_uncertain(error):
                raise
            await self._in_halves(documents, error)
            return
        for document, what in zip(documents, became, strict=True):
            document.became = what

    async def _in_halves(self, documents: Sequence[_Document], error: Exception) -> None:
        if len(documents) == 1:
            self._refuse(documents[0], error)
            return
        # What the savepoint took back is not as it was read. A row that the other half made is not what this half was laid over.
        await self._look_up(documents)
        for each in documents:
            each.existing = None if each.version is None else each.existing
        middle = len(documents) // 2
        for half in (documents[:middle], documents[middle:]):
            await self._together(half)

    async def _one(self, document: _Document) -> Became:
        marks = self._is_marked(document)
        await self._ensure_unchanged(document)
        if document.existing is not None:
            assert self._of.replace is not None
            await self._of.replace(self._tx, document.existing, document.body)
            return "replaced"
        await self._of.create(self._tx, document.body)
        if marks:
            key, digest = self._mark(document)
            row = {"tenant_id": self._tx.tenant_id, "kind": self._of.job.name, "key": key, "digest": digest}
            await self._tx.execute(_MARK, row)
        return "created"

    async def _ensure_unchanged(self, document: _Document) -> None:
        """Raises StaleDataError, upon which the piece begins again: else what the file says nothing of were put back to what it was."""
        if document.version is None:
            return
        assert self._of.kind is not None
        there = None
        if document.existing is not None:
            there = await self._tx.load(self._of.kind, document.existing.id, even_deleted=True)
        if there is None or there.version != document.version:
            raise StaleDataError("The row was changed while the file was read.")

    def _refuse(self, document: _Document, error: Exception) -> None:
        """Raises the error when it is not the row's fault."""
        if isinstance(error, IntegrityError) and "pk_job_mark" in str(error):
            # Twice in one piece.
            document.became = "unchanged"
            return
        problem = error if isinstance(error, Problem) else problem_of(error)
        if problem.status >= 500:
            raise error
        document.became = "refused"
        document.passes = isinstance(problem, NotYetKnown)
        for each in problem.errors:
            document.faults.append((*located(each.field, self._in_file, self._of.lines), each.detail))
        if not problem.errors:
            document.faults.append(("", 0, problem.detail or problem.title))


def _cut(text: str) -> str:
    """A cell as a reason names it."""
    return text if len(text) <= _LONGEST_QUOTED else f"{text[: _LONGEST_QUOTED - 1]}…"


def _quoted(text: str) -> str:
    return repr(_cut(text))


def _joined(reasons: Iterable[str]) -> str:
    """What is wrong with a row, each thing once."""
    said = list(dict.fromkeys(reasons))
    more = len(said) - _MOST_REASONS
    return "; ".join([*said[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else [])])


def _holders(said: dict[str, Any], path: str, lines: str | None) -> list[tuple[dict[str, Any], int]]:
    """The objects in which the last word of a path stands, and the row of each."""
    parts = path.split(".")
    if lines is not None and parts[0] == lines:
        entries = said.get(lines, [])
        return [(entry, index) for index, entry in enumerate(entries) if isinstance(entry, dict) and parts[-1] in entry]
    return [(said, 0)] if parts[-1] in said else []


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _merged(present: Any, said: Any) -> Any:
    """What is said over what is there: objects by name, lists of objects by place, anything else in its stead."""
    if isinstance(present, dict) and isinstance(said, dict):
        return {**present, **{name: _merged(present.get(name), value) for name, value in said.items()}}
    if isinstance(present, list) and isinstance(said, list):
        both = [_merged(present[at] if at < len(present) else None, value) for at, value in enumerate(said)]
        return [*both, *present[len(said) :]]
    return said
