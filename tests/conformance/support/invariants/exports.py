"""What holds of every list's export: it shows the rows and the fields that the list shows, to whom the list shows them."""

import csv
import io
from collections.abc import AsyncIterator, Container

from python_calamine import CalamineWorkbook

from invariants.operations import Operation
from invariants.subject import Findings, Subject
from tailrace.http.files.exports import CSV, XLSX

_CSV, _XLSX = {"Accept": CSV}, {"Accept": XLSX}
_CALCULATED = frozenset("=+-@\t\r")


async def lists_export_what_they_show(subject: Subject) -> Findings:
    """As CSV and as XLSX a list has all of its rows, no row and no field more, nothing that a spreadsheet calculates, and nobody else's."""
    walked = await subject.walked()
    every = [operation for operation in walked.operations if operation.lists]
    found = [f"{one.name} pages, and has no file of all its rows" for one in every if CSV not in _said(one)]
    lists = [operation for operation in every if not operation.in_path]
    return found + [fault for operation in lists for fault in [each async for each in _faults(subject, operation)]]


def _said(operation: Operation) -> Container[str]:
    """The media types that its answer may have."""
    content: Container[str] = operation.said["responses"]["200"]["content"]
    return content


async def _faults(subject: Subject, operation: Operation) -> AsyncIterator[str]:
    walker = (await subject.walked()).walker
    answer = await walker.client().get(operation.path, headers=_CSV)
    if CSV not in _said(operation):
        return
    if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/csv"):
        cure = ": let each of its parameters have a default" if answer.status_code == 422 else ""
        yield f"{operation.name} answers {answer.status_code} to Accept: text/csv{cure}"
        return
    header, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    page = (await walker.client().get(operation.path, params={"limit": 200})).json()
    if page["next_cursor"] is None and len(page["items"]) != len(rows):
        yield f"{operation.name} lists {len(page['items'])} rows and exports {len(rows)}"
    if page["items"] and sorted(page["items"][0]) != sorted(header):
        yield f"{operation.name} exports other fields than it lists: {', '.join(header)}"
    texts = [name for name in header if page["items"] and isinstance(page["items"][0][name], str)]
    for row in rows:
        shown = dict(zip(header, row, strict=True))
        if any(shown[name][:1] in _CALCULATED and not _is_number(shown[name]) for name in texts if shown[name]):
            yield f"{operation.name} exports what a spreadsheet calculates"
            return
    async for fault in _as_xlsx(subject, operation, header, rows):
        yield fault
    foreign = await walker.client(tenant=walker.h.other_tenant).get(operation.path, headers=_CSV)
    if rows and set(foreign.text.splitlines()) & set(answer.text.splitlines()[1:]):
        yield f"{operation.name} exports rows to another tenant"


async def _as_xlsx(
    subject: Subject, operation: Operation, header: list[str], rows: list[list[str]]
) -> AsyncIterator[str]:
    """The same file in the other format: the same headings and rows, and texts that are the same."""
    answer = await (await subject.walked()).walker.client().get(operation.path, headers=_XLSX)
    if answer.status_code != 200 or answer.headers["content-type"] != XLSX:
        yield f"{operation.name} answers {answer.status_code} to Accept: {XLSX}"
        return
    headings, *cells = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    if headings != header or len(cells) != len(rows):
        yield f"{operation.name} exports {len(rows)} rows as CSV and {len(cells)} as XLSX"
    pairs = [pair for row, line in zip(cells, rows, strict=False) for pair in zip(row, line, strict=True)]
    if any(isinstance(cell, str) and cell != text for cell, text in pairs):
        yield f"{operation.name} exports other texts as XLSX than as CSV"


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()
