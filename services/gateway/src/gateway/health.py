"""Live says that the process works; ready says that it can check tokens. A service behind it that is down makes neither untrue."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from gateway.revocations import Revocations
from tailrace.keys import Keys
from tailrace.problems import Unavailable


def router(keys: Keys, revocations: Revocations) -> APIRouter:
    """GET /health/live and /health/ready; the latter 503 until the verification keys and the revocations were read once.

    Later `revocations` in the answer says whether all of them are known, or since when and why newer ones may not be.
    """
    health = APIRouter(prefix="/health", include_in_schema=False)

    @health.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @health.get("/ready")
    async def ready() -> JSONResponse:
        awaited = {} if revocations.complete else {"revocations": revocations.behind}
        try:
            await keys.current(None)
        except Unavailable:
            awaited["keys"] = "identity does not answer"
        if awaited:
            return JSONResponse({"status": "waiting", "for": awaited}, 503)
        return JSONResponse({"status": "ready", "revocations": revocations.behind or "current"})

    return health
