"""Live says that the process works; ready says that it can check tokens. A service behind it that is down makes neither untrue."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tailrace.auth import Keys
from tailrace.problems import Unavailable


def router(keys: Keys) -> APIRouter:
    """GET /health/live and /health/ready; the latter 503 until the verification keys were fetched once."""
    health = APIRouter(prefix="/health", include_in_schema=False)

    @health.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @health.get("/ready")
    async def ready() -> JSONResponse:
        try:
            await keys.current(None)
        except Unavailable:
            return JSONResponse({"status": "waiting", "for": {"keys": "identity does not answer"}}, 503)
        return JSONResponse({"status": "ready"})

    return health
