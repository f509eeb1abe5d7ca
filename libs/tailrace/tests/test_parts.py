"""A part carries its root's version: what is read or written of a line is conditional on the note, and a new line is where the answer says."""

from dataclasses import replace
from uuid import UUID

import pytest
from toy import Line, Note, NoteWritten, Reader, Writer, service

from tailrace.core.ids import uuid7
from tailrace.http.etag import IfMatch
from tailrace.http.routing import Body, Tx, View, tenant_router
from tailrace_testing import Harness, MakeHarness

router = tenant_router("/v1/notes", tag="lines")


class LineBody(Body):
    text: str


class LineView(View):
    id: UUID
    text: str


@router.post("/{note_id}/lines", status_code=201, response_model=LineView)
async def create_line(tx: Tx, who: Writer, match: IfMatch, note_id: UUID, body: LineBody) -> Line:
    note = await tx.load(Note, note_id, match)
    note.lines.append(line := Line(id=uuid7(), text=body.text, position=len(note.lines) + 1))
    note.record(NoteWritten(note_id=note.id, text=body.text))
    return line


@router.get("/{note_id}/lines/{line_id}", response_model=LineView)
async def read_line(tx: Tx, who: Reader, note_id: UUID, line_id: UUID) -> Line:
    return await tx.find(Line, line_id)


@router.put("/{note_id}/lines/{line_id}", response_model=LineView)
async def replace_line(tx: Tx, who: Writer, match: IfMatch, note_id: UUID, line_id: UUID, body: LineBody) -> Line:
    note = await tx.load(Note, note_id, match)
    line = next(line for line in note.lines if line.id == line_id)
    line.text = body.text
    note.record(NoteWritten(note_id=note.id, text=body.text))
    return line


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, routers=[*service.routers, router]))


async def test_a_part_is_read_and_written_under_its_roots_version(toy: Harness) -> None:
    note = (await toy.client.post("/v1/notes", json={"text": "x"})).json()
    made = await toy.client.post(f"/v1/notes/{note['id']}/lines", json={"text": "y"}, headers={"If-Match": '"1"'})
    here = f"/v1/notes/{note['id']}/lines/{made.json()['id']}"
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (201, '"2"', here)
    assert (await toy.client.get(here)).headers["etag"].startswith('"2-')
    changed = await toy.client.put(here, json={"text": "z"}, headers={"If-Match": '"2"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"3"')
    stale = await toy.client.put(here, json={"text": "late"}, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tailrace:problem:stale")
    shown = await toy.client.get(here)
    assert (shown.json()["text"], shown.headers["etag"][:3]) == ("z", '"3-')
