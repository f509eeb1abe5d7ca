"""A small service that the kit's own tests are made with: notes, with lines, a read model, a reaction, a saga and a stream."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tailrace.core.context import Principal
from tailrace.core.errors import InUse, Invalid, Refused, Unknown
from tailrace.core.events import Event, Meta
from tailrace.core.ids import uuid7
from tailrace.core.values.fields import Day
from tailrace.db.error_classes import NotYet
from tailrace.db.event_streams import Stream, stream_table
from tailrace.db.keys import refers_to
from tailrace.db.master_data import MasterData
from tailrace.db.models import Aggregate, Part, Tables, TenantRow
from tailrace.http.auth import Requires, scopes
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, between, by_id, equal, part_of
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Body, ResourceView, Tx, View, tenant_router
from tailrace.messaging.sagas import Run, Saga
from tailrace.messaging.subscribers import EVER, Projection, Reaction
from tailrace.service import Service


class ToyEvent(Event):
    topic: ClassVar[str] = "toy.events"


class NoteWritten(ToyEvent):
    type: ClassVar[str] = "note.written"
    note_id: UUID
    text: str


class NoteRemarked(ToyEvent):
    type: ClassVar[str] = "note.remarked"
    note_id: UUID
    remark_id: UUID
    text: str
    words: str
    by: str = "somebody"


class NoteClosed(ToyEvent):
    type: ClassVar[str] = "note.closed"
    note_id: UUID


class Counted(ToyEvent):
    type: ClassVar[str] = "toy.counted"
    by: int


class LabelDescription(ToyEvent):
    label_id: UUID
    code: str
    name: str
    tone: str
    beside: UUID | None = None


class LabelCreated(LabelDescription):
    type: ClassVar[str] = "label.created"


class LabelUpdated(LabelDescription):
    type: ClassVar[str] = "label.updated"


class LabelRestored(LabelDescription):
    type: ClassVar[str] = "label.restored"


class LabelDeleted(ToyEvent):
    type: ClassVar[str] = "label.deleted"
    label_id: UUID


class Asked(Event):
    topic: ClassVar[str] = "asking.events"
    type: ClassVar[str] = "asking.asked"
    version: ClassVar[int] = 2
    key: UUID
    text: str

    @classmethod
    def upcast(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        return {"key": payload["key"], "text": payload["words"]}


class Answered(Event):
    topic: ClassVar[str] = "asking.events"
    type: ClassVar[str] = "asking.answered"
    key: UUID


class Base(Tables, DeclarativeBase):
    """The tables of the toy."""


class Status(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Note(Aggregate, Base):
    __tablename__ = "note"

    text: Mapped[str]
    status: Mapped[str] = mapped_column(default=Status.OPEN)
    lines: Mapped[list["Line"]] = relationship(back_populates="note", lazy="selectin", cascade="all, delete-orphan")

    @classmethod
    def write(cls, text: str) -> "Note":
        note = cls(id=uuid7(), text=text, status=Status.OPEN, lines=[Line(id=uuid7(), text=text)])
        note.record(NoteWritten(note_id=note.id, text=text))
        return note

    def close(self) -> None:
        if self.status == Status.CLOSED:
            raise Refused("It is closed already.")
        self.status = Status.CLOSED
        self.record(NoteClosed(note_id=self.id))


class Line(Part, Base):
    __tablename__ = "note_line"
    __root__ = "note"
    __table_args__ = (refers_to("note", "note_id"), UniqueConstraint("tenant_id", "note_id", "position"))

    note_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(default=1)
    text: Mapped[str]
    note: Mapped[Note] = relationship(back_populates="lines")


class Remark(Part, Base):
    """A part of a part, of which there may be many: nothing holds them all."""

    __tablename__ = "remark"
    __root__ = "line"
    __table_args__ = (refers_to("note_line", "line_id", ondelete="CASCADE"),)

    line_id: Mapped[UUID]
    words: Mapped[str]
    line: Mapped[Line] = relationship()


class Label(MasterData, Base):
    __tablename__ = "label"
    created, updated, deleted, restored = LabelCreated, LabelUpdated, LabelDeleted, LabelRestored
    fixed = ("tone",)

    code: Mapped[str]
    tone: Mapped[Literal["plain", "loud"]]
    beside: Mapped[UUID | None]
    """Another label, which stands next to it."""
    marks: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))

    async def ensure_unused(self, tx: Tx) -> None:
        if await tx.scalar(select(Note.id).where(Note.text == self.code).limit(1)) is not None:
            raise InUse(f"A note says {self.code}.")

    async def ensure_references(self, tx: Tx) -> None:
        if self.beside is not None and not await Label.hold(tx, [self.beside]):
            raise Invalid.field("/beside", f"There is no label {self.beside}.")


class Heard(TenantRow, Base):
    __tablename__ = "heard"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    times: Mapped[int]


class Count(BaseModel):
    total: int = 0


count_event = stream_table("count_event", Base.metadata)


class Counter(Stream[Count]):
    table = count_event
    events = (Counted,)

    @classmethod
    def initial(cls) -> Count:
        return Count()

    def apply(self, event: Counted) -> None:
        self.state.total += event.by


async def _cured(tx: Tx, text: str) -> None:
    """`after <key>` has to wait until that key was heard, and `poison <key>` fails until then."""
    word, _, key = text.partition(" ")
    if word not in {"after", "poison"} or not key or await tx.scalar(select(Heard.key).where(Heard.key == UUID(key))):
        return
    raise NotYet(f"{key} was not heard") if word == "after" else ValueError(f"cannot hear that before {key}")


heard = Projection("toy.heard", tables=[Heard])


@heard.on(Asked)
async def hear(tx: Tx, event: Asked, meta: Meta) -> None:
    if event.text == "poison":
        raise ValueError("cannot hear that")
    await _cured(tx, event.text)
    row = insert(Heard).values(tenant_id=tx.tenant_id, key=event.key, times=1)
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "key"], set_={"times": Heard.times + 1}))


echo = Reaction("toy.echo", since=EVER)


@echo.on(Asked)
async def write_down(tx: Tx, event: Asked, meta: Meta) -> None:
    await _cured(tx, event.text)
    tx.add(Note.write(event.text))


class Memory(BaseModel):
    asked: str = ""


talk = Saga("toy.talk", Memory, since=EVER)


@talk.starts(Asked, key=lambda e: e.key)
async def begin(tx: Tx, run: Run[Memory], event: Asked, meta: Meta) -> None:
    run.data.asked = event.text
    run.goto("waiting", timeout=timedelta(seconds=60))


@talk.on_answer(Answered, key=lambda e: e.key)
async def end(tx: Tx, run: Run[Memory], event: Answered, meta: Meta) -> None:
    run.goto("late" if run.state == "gave up" else "done")


@talk.on_timeout("waiting")
async def give_up(tx: Tx, run: Run[Memory]) -> None:
    tx.add(Note.write(f"no answer to {run.data.asked}"))
    run.goto("gave up")


router = tenant_router("/v1/notes", tag="notes")
read, write = scopes("notes", read="See notes", write="Write and close notes")
Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Notes = Annotated[
    PageRequest,
    listed(
        Note,
        by_id(Note),
        any_of(Note.status, Status),
        part_of(Note.text),
        equal(Note.version),
        *between(Note.created_at),
        sort=[Note.text, Note.created_at],
    ),
]


class NewNote(Body):
    text: str


class NoteView(View):
    id: UUID
    text: str
    status: str
    version: int


@router.post("", status_code=201, response_model=NoteView)
async def create_note(tx: Tx, who: Writer, body: NewNote) -> Note:
    note = Note.write(body.text)
    tx.add(note)
    return note


@router.get("", response_model=Page[NoteView])
async def list_notes(tx: Tx, who: Reader, page: Notes) -> Listing[Note]:
    return await paginate(tx, select(Note), page)


@router.get("/{note_id}", response_model=NoteView)
async def read_note(tx: Tx, who: Reader, note_id: UUID) -> Note:
    return await tx.find(Note, note_id)


@router.post("/{note_id}/close", response_model=NoteView)
async def close_note(tx: Tx, who: Writer, match: IfMatch, note_id: UUID) -> Note:
    note = await tx.load(Note, note_id, match)
    note.close()
    return note


labels = tenant_router("/v1/labels", tag="labels")


class MarkBody(Body):
    made_on: Day


class LabelBody(Body):
    code: str
    name: str = "A label"
    tone: str = "plain"
    beside: UUID | None = None
    marks: list[MarkBody] = []


class LabelSummary(ResourceView):
    code: str
    name: str
    tone: str
    beside: UUID | None


class LabelView(LabelSummary):
    marks: list[dict[str, str]]


master_data_routes(
    labels,
    Label,
    "a label",
    body=LabelBody,
    view=LabelView,
    summary=LabelSummary,
    reader=Reader,
    writer=Writer,
    filters=[equal(Label.tone)],
    lists="Labels without their marks.",
    deletes="Delete a label that no note says.",
)


hearsay = tenant_router("/v1/heard", tag="heard", reads=[heard])


class HeardView(View):
    key: UUID
    times: int


@hearsay.get("/{key}", response_model=HeardView)
async def read_heard(tx: Tx, who: Reader, key: UUID) -> Heard:
    found = await tx.get(Heard, (tx.tenant_id, key))
    if found is None:
        raise Unknown("Heard", key)
    return found


@hearsay.post("/{key}/notes", status_code=201, response_model=NoteView)
async def create_note_heard(tx: Tx, who: Writer, key: UUID) -> Note:
    found = await read_heard(tx, who, key)
    note = Note.write(f"heard {found.times} times")
    tx.add(note)
    return note


service = Service(
    name="toy",
    topic="toy.events",
    publishes=[NoteWritten, NoteClosed, LabelCreated, LabelUpdated, LabelDeleted, LabelRestored, Counted],
    subscribers=[heard, echo, talk],
    routers=[router, labels, hearsay],
    scopes=[read, write],
    metadata=Base.metadata,
)
