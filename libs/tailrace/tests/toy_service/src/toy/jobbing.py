"""A job for the toy, a chunk at a time, and a process that dies at a named step of it: `python -m toy.jobbing <database> <step>`."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Response

from tailrace.core.errors import Refused
from tailrace.db import master_data
from tailrace.db.database import Database, Tx
from tailrace.http.lists.filters import any_of
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Body, View, tenant_router
from tailrace.http.routing import Tx as RouteTx
from tailrace.jobs.kinds import JobKind, Later, Run
from tailrace.jobs.routes import JobView, accepted, jobs_router, own_job
from tailrace.jobs.runner import JobRunner
from tailrace.service import Exposed
from tailrace.transfer.bulk import LARGEST_BULK, bulk_router
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable
from tailrace.transfer.routes import LARGEST, imports_router
from toy import Label, LabelBody, LabelView, Note, Reader, Writer, labels, router, service

STEPS = ("leased", "working", "settled", "written", "committed")
AT_CHUNK = 2
writing = JobKind("toy.writing")
_dies_at = sys.argv[2] if __name__ == "__main__" else None
_chunks = 0


def _die(step: str) -> None:
    if step == _dies_at and _chunks == AT_CHUNK:
        os.kill(os.getpid(), signal.SIGKILL)


@writing.chunk
async def write_one(tx: Tx, run: Run) -> None:
    """One note; `awkward` says what goes wrong at the second."""
    at = int(run.checkpoint.get("next", 0))
    tx.add(Note.write(f"{run.parameters['word']} {at}"))
    await tx.flush()
    _die("working")
    if at == 1 and run.parameters.get("awkward") == "refuses":
        raise Refused("The second cannot be written.")
    if at == 1 and run.parameters.get("awkward") == "breaks":
        raise ValueError("cannot write the second")
    if at == 1 and run.parameters.get("awkward") == "waits" and run.attempt < 3:
        raise Later
    run.advance({"next": at + 1}, done=1, written=1)
    if run.done == run.total:
        run.finish()


class Writing(Body):
    word: Annotated[str, "what the notes say"]
    times: int


asking = tenant_router("/v1/notes/writings", tag="writings")


@asking.post("", status_code=202, response_model=JobView)
async def write_notes(tx: RouteTx, who: Writer, response: Response, body: Writing) -> Any:
    id = await writing.start(tx, {"word": body.word}, total=body.times)
    accepted(response, "/v1/notes/jobs", id)
    return await own_job(tx, who, id)


listing = tenant_router("/v1/labels", tag="labels")
Labels = Annotated[PageRequest, listed(Label, any_of(Label.tone, str), sort=[Label.code])]


@listing.get("", response_model=Page[LabelView])
async def list_labels(tx: RouteTx, who: Reader, page: Labels) -> Listing[Label]:
    return await paginate(tx, master_data.rows(Label, deleted=False), page)


async def make_label(tx: Tx, body: LabelBody) -> Label:
    _die("working")
    if body.name == "forbidden":
        raise Refused("Nobody may be called that.", field="/name")
    return await master_data.create(tx, Label, body.model_dump())


async def replace_label(tx: Tx, row: Label, body: LabelBody) -> Label:
    return await master_data.replace(tx, Label, row.id, None, body.model_dump())


class WireLabel(LabelBody):
    tone: Literal["plain", "loud"] = "plain"

    def values(self) -> dict[str, Any]:
        return self.model_dump()


label_import = Importable(
    service="toy",
    name="labels",
    body=WireLabel,
    kind=Label,
    columns=[column("code", "Code", "コード"), column("name", "Name", "名称"), column("tone", "Tone")],
    create=make_label,
    replace=replace_label,
    ignored=("id", "version", "created_at", "updated_at", "beside", "marks"),
    flush_later=True,
)


class LetterLine(Body):
    text: str
    times: int = 1


class Letter(Body):
    title: str
    lines: list[LetterLine]


class LetterView(View):
    id: UUID


async def write_letter(tx: Tx, body: Letter) -> None:
    if any(line.text == "forbidden" for line in body.lines):
        at = next(index for index, line in enumerate(body.lines) if line.text == "forbidden")
        raise Refused("Nobody may say that.", field=f"/lines/{at}/text")
    tx.add(Note.write(f"{body.title}: " + ", ".join(f"{line.text} x{line.times}" for line in body.lines)))


letter_import = Importable(
    service="toy",
    name="letters",
    body=Letter,
    columns=[column("title", "Title"), column("lines.text", "Text"), column("lines.times", "Times")],
    create=write_letter,
    key=lambda body: body.title,
    lines="lines",
    document=("title",),
)

read, write = service.scopes
service_with_jobs = replace(
    service,
    jobs=[writing],
    imports=[label_import, letter_import],
    routers=[
        jobs_router("/v1/notes/jobs", read),
        imports_router(label_import, "/v1/labels", read, write, jobs="/v1/notes/jobs"),
        imports_router(letter_import, "/v1/letters", read, write, jobs="/v1/notes/jobs"),
        bulk_router(label_import, "/v1/labels", Writer, LabelView, most=300),
        bulk_router(letter_import, "/v1/letters", Writer, LetterView),
        asking,
        router,
        listing,
        labels,
        service.routers[2],
    ],
    exposes=[
        Exposed(prefix=f"/v1/{what}/{how}", body_limit=limit)
        for what in ("labels", "letters")
        for how, limit in (("import", LARGEST), ("bulk", LARGEST_BULK))
    ],
)


def _deadly(name: str, before: str, after: str) -> None:
    inner = getattr(JobRunner, name)

    async def wrapped(*given: Any) -> Any:
        global _chunks
        _chunks += name == "_chunk"
        _die(before)
        result = await inner(*given)
        _die(after)
        return result

    setattr(JobRunner, name, wrapped)


async def _run(url: str) -> None:
    database = Database(url, "toy")
    await JobRunner(database, service_with_jobs.all_jobs).drain()
    await database.close()


if __name__ == "__main__":
    _deadly("_chunk", "leased", "committed")
    _deadly("_write", "settled", "written")
    asyncio.run(_run(sys.argv[1]))
