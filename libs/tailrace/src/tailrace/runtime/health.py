"""Live says that the process works; ready says that it may be sent traffic. They differ: a database that is down restarts no process.

A dead letter is no outage: ready stays ready, and says how many there are.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from tailrace.db.database import Database
from tailrace.messaging.consumer import Consumer
from tailrace.redrive.reminder import count_dead_letters

router = APIRouter(prefix="/health", include_in_schema=False)


@router.get("/live")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """503 with what is awaited, until the database answers and the consumer has its place.

    Who issues tokens waits for no place: Kafka may ask for such a token first. The process of its consumer alone issues none, and waits as all do.

    A subscriber that reads history keeps nobody from being served, nor does a Kafka that went away: they are told beside, as events read and to
    read, and as what the consumer waits for.
    """
    awaited: dict[str, str] = {}
    known: dict[str, Any] = {}
    database: Database | None = getattr(request.app.state, "database", None)
    if database is not None:
        try:
            known = (await count_dead_letters(database)).as_json()
        except Exception as error:
            awaited["database"] = type(error).__name__
    consumer: Consumer | None = getattr(request.app.state, "consumer", None)
    if consumer is not None and not consumer.ready.is_set() and not _issues_tokens(request.app):
        awaited["consumer"] = consumer.waiting_for or "joining its group"
    if awaited:
        return JSONResponse({"status": "waiting", "for": awaited, **known}, 503)
    if consumer is not None and consumer.waiting_for is not None:
        known["consumer"] = consumer.waiting_for
    if reading := consumer.backfilling if consumer is not None else {}:
        known["backfilling"] = {name: {"read": read, "of": total} for name, (read, total) in reading.items()}
    return JSONResponse({"status": "ready", **known})


def _issues_tokens(app: Any) -> bool:
    """Whether this process does."""
    return bool(app.service.issues_tokens and app.state.serves_api)
