"""A job for the toy, a chunk at a time, and a process that dies at a named step of it: `python -m toy.jobbing <database> <step>`."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Response

from tailrace.core.errors import Refused
from tailrace.db.database import Database, Tx
from tailrace.http.routing import Body, tenant_router
from tailrace.http.routing import Tx as RouteTx
from tailrace.jobs.kinds import JobKind, Later, Run
from tailrace.jobs.routes import JobView, accepted, jobs_router, own_job
from tailrace.jobs.runner import JobRunner
from toy import Note, Writer, router, service

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


read = service.scopes[0]
service_with_jobs = replace(
    service, jobs=[writing], routers=[jobs_router("/v1/notes/jobs", read), asking, router, *service.routers[1:]]
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
    await JobRunner(database, [writing], lease=1.0).drain()
    await database.close()


if __name__ == "__main__":
    _deadly("_chunk", "leased", "committed")
    _deadly("_write", "settled", "written")
    asyncio.run(_run(sys.argv[1]))
