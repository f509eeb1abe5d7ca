"""Live says that the process works; ready says that it may be sent traffic. They differ: a database that is down makes nobody restart."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from tailrace.consumer import Consumer
from tailrace.database import Database

router = APIRouter(prefix="/health", include_in_schema=False)


@router.get("/live")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """503 with what is awaited, until the database answers and the consumer has its place."""
    awaited: dict[str, str] = {}
    database: Database | None = getattr(request.app.state, "database", None)
    if database is not None:
        try:
            await database.ping()
        except Exception as error:
            awaited["database"] = type(error).__name__
    consumer: Consumer | None = getattr(request.app.state, "consumer", None)
    if consumer is not None and not consumer.ready.is_set():
        awaited["consumer"] = consumer.waiting_for or "joining its group"
    if awaited:
        return JSONResponse({"status": "waiting", "for": awaited}, 503)
    return JSONResponse({"status": "ready"})
