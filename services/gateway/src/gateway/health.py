"""Live says that the process works; ready says that it can check tokens. A service behind it that is down makes neither untrue."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import IPvAnyNetwork

from gateway.revocations import Revocations
from tailrace.core.errors import Unavailable, Unknown
from tailrace.http.jwks import Keys
from tailrace.http.protocol.addresses import is_among
from tailrace.http.protocol.strict import StrictRoute, refuse_unknown


def router(keys: Keys, revocations: Revocations) -> APIRouter:
    """GET /health/live and /health/ready; the latter 503 until the verification keys and the revocations were read once.

    Later `revocations` in the answer says whether all of them are known, or since when and why newer ones may not be.
    """
    health = APIRouter(prefix="/health", include_in_schema=False, route_class=StrictRoute)

    @health.api_route("/live", methods=["GET", "HEAD"])
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @health.api_route("/ready", methods=["GET", "HEAD"])
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


def for_operators(router: APIRouter, networks: Sequence[IPvAnyNetwork]) -> APIRouter:
    """The same routes, for callers in these networks; to everybody else they are not there, since the gateway's port faces the world."""

    async def from_near(request: Request) -> None:
        if not is_among(request.client.host if request.client else None, networks):
            raise Unknown("path", request.url.path)
        # Afterwards: a refusal of a parameter would tell the world that the path is there.
        refuse_unknown(request.query_params.keys(), frozenset())

    guarded = APIRouter(dependencies=[Depends(from_near)], include_in_schema=False)
    guarded.include_router(router)
    return guarded
