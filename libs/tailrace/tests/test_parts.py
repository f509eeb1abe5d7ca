"""A part carries its root's version: what is read or written of a line is conditional on the note, and a new line is where the answer says."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase
from toy import Line, Note, NoteRemarked, NoteWritten, Reader, Remark, Writer, service

from tailrace.core.errors import Invalid, Refused, Unknown
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.models import Part, Tables
from tailrace.db.outbox import UnrecordedChange
from tailrace.http.etag import IfMatch
from tailrace.http.lists.parts import part_routes
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


class RemarkBody(Body):
    words: str


class RemarkView(View):
    id: UUID
    words: str


async def unclosed(tx: Tx, note_id: UUID, match: int | None) -> Note:
    note = await tx.load(Note, note_id, match)
    if note.status == "closed":
        raise Refused("It is closed.")
    return note


async def sensible(tx: Tx, remark: Remark) -> None:
    if remark.words == "nonsense":
        raise Invalid.field("/words", f"That is nonsense in {remark.line.text}.")


async def may_go(tx: Tx, remark: Remark) -> None:
    if remark.words == "quite":
        raise Refused("It was said.")


part_routes(
    router,
    "/{note_id}/lines/{line_id}/remarks",
    Remark,
    "a remark",
    body=RemarkBody,
    view=RemarkView,
    reader=Reader,
    writer=Writer,
    added=NoteRemarked,
    changed=NoteRemarked,
    removed=NoteRemarked,
    load=unclosed,
    before_write=sensible,
    before_delete=may_go,
)


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    publishes: list[type[Event]] = [*service.publishes, NoteRemarked]
    return await make_harness(replace(service, publishes=publishes, routers=[*service.routers, router]))


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


async def _remarked(toy: Harness) -> tuple[UUID, UUID, UUID]:
    """A note, its line, and a remark on that."""
    async with toy.tx() as tx:
        tx.add(note := Note.write("x"))
        await tx.flush()
        tx.add(remark := Remark(id=uuid7(), line=note.lines[0], words="quite"))
        note.record_as(NoteRemarked, note.lines[0], remark)
    return note.id, note.lines[0].id, remark.id


async def test_a_part_of_a_part_is_written_with_an_event_of_the_root(toy: Harness) -> None:
    note_id, line_id, remark_id = await _remarked(toy)
    said = (await toy.published("note.remarked"))[0]
    assert (said.aggregate_id, said.sequence) == (note_id, 2)
    assert said.event.model_dump() == {
        "note_id": note_id,
        "remark_id": remark_id,
        "text": "x",
        "words": "quite",
        "by": "somebody",
    }
    with pytest.raises(UnrecordedChange, match=r"Remark .* changed and Note"):
        async with toy.tx() as tx:
            tx.add(Remark(id=uuid7(), line=await tx.find(Line, line_id), words="unheard"))
    with pytest.raises(UnrecordedChange, match=r"Remark .* changed and Note"):
        async with toy.tx() as tx:
            (await tx.find(Remark, remark_id)).words = "unheard"


async def test_parts_of_a_part_go_with_it_unread(toy: Harness) -> None:
    note_id, line_id, _ = await _remarked(toy)
    async with toy.tx() as tx:
        note = await tx.load(Note, note_id)
        line = await tx.find(Line, line_id)
        await tx.delete(line)
        note.record_as(NoteWritten, text="shorter")
    async with toy.tx() as tx:
        assert await tx.scalar(select(func.count()).select_from(Remark)) == 0


async def test_a_part_is_found_within_its_own_root_alone(toy: Harness) -> None:
    note_id, line_id, _ = await _remarked(toy)
    async with toy.tx() as tx:
        assert (await tx.find(Line, line_id, Line.note_id == note_id)).id == line_id
        with pytest.raises(Unknown):
            await tx.find(Line, line_id, Line.note_id == uuid7())


async def test_what_an_event_wants_and_no_row_says_has_to_be_given(toy: Harness) -> None:
    note = Note(id=uuid7(), text="x")
    with pytest.raises(ValidationError, match="words"):
        note.record_as(NoteRemarked, remark_id=uuid7())
    assert note.version is None
    assert note.update_from({"text": "x"}) is False
    assert note.update_from({"text": "y"}) is True
    assert note.text == "y"


@pytest.mark.parametrize("root", [{}, {"__root__": "of"}])
def test_a_part_says_what_it_is_part_of(root: dict[str, str]) -> None:
    """When it is declared, not when somebody first reads one."""

    class Apart(Tables, DeclarativeBase):
        pass

    with pytest.raises(TypeError, match="Stray is part of nothing: __root__ has to name the relationship"):
        type("Stray", (Part, Apart), {"__tablename__": "stray", **root})


async def test_routes_of_parts_that_are_said_once_find_a_part_below_its_path_alone(toy: Harness) -> None:
    (note_id, line_id, remark_id), (other_note, other_line, _) = [await _remarked(toy) for _ in range(2)]
    here = f"/v1/notes/{note_id}/lines/{line_id}/remarks"
    made = await toy.client.post(here, json={"words": "very"}, headers={"If-Match": '"2"'})
    assert (made.status_code, made.headers["etag"], made.headers["location"]) == (
        201,
        '"3"',
        f"{here}/{made.json()['id']}",
    )
    assert [one["words"] for one in (await toy.client.get(here)).json()["items"]] == ["quite", "very"]
    shown = await toy.client.get(f"{here}/{remark_id}")
    assert (shown.json()["words"], shown.headers["etag"][:3]) == ("quite", '"3-')
    wrong = [(note_id, other_line), (other_note, line_id), (uuid7(), line_id)]
    for elsewhere in [f"/v1/notes/{note}/lines/{line}/remarks" for note, line in wrong]:
        answers = [
            await toy.client.get(elsewhere),
            await toy.client.post(elsewhere, json={"words": "nowhere"}),
            await toy.client.get(f"{elsewhere}/{remark_id}"),
            await toy.client.put(f"{elsewhere}/{remark_id}", json={"words": "nowhere"}),
            await toy.client.delete(f"{elsewhere}/{remark_id}"),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 404]


async def test_a_part_that_is_replaced_by_the_same_is_told_of_by_no_event(toy: Harness) -> None:
    note_id, line_id, remark_id = await _remarked(toy)
    here = f"/v1/notes/{note_id}/lines/{line_id}/remarks/{remark_id}"
    tags = [(await toy.client.put(here, json={"words": words})).headers["etag"] for words in ("quite", "much", "much")]
    assert tags == ['"2"', '"3"', '"3"']
    assert [each.event.model_dump()["words"] for each in await toy.published("note.remarked")] == ["quite", "much"]


async def test_the_root_says_whether_its_parts_may_change(toy: Harness) -> None:
    note_id, line_id, remark_id = await _remarked(toy)
    await toy.client.post(f"/v1/notes/{note_id}/close", json={})
    here = f"/v1/notes/{note_id}/lines/{line_id}/remarks"
    answers = [
        await toy.client.post(here, json={"words": "late"}),
        await toy.client.put(f"{here}/{remark_id}", json={"words": "late"}),
    ]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert [one["words"] for one in (await toy.client.get(here)).json()["items"]] == ["quite"]


async def test_the_service_says_what_else_refuses_a_part(toy: Harness) -> None:
    note_id, line_id, remark_id = await _remarked(toy)
    here = f"/v1/notes/{note_id}/lines/{line_id}/remarks"
    answers = [
        await toy.client.post(here, json={"words": "nonsense"}),
        await toy.client.put(f"{here}/{remark_id}", json={"words": "nonsense"}),
        await toy.client.delete(f"{here}/{remark_id}"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 409]
    assert answers[0].json()["errors"] == [{"field": "/words", "detail": "That is nonsense in x."}]
    await toy.client.put(f"{here}/{remark_id}", json={"words": "hardly"})
    assert (await toy.client.delete(f"{here}/{remark_id}")).status_code == 204
    said = [each.event.model_dump()["words"] for each in await toy.published("note.remarked")]
    assert said == ["quite", "hardly", "hardly"]
