"""One visible route class: it knows who asks, opens the transaction, keeps the promise of the Idempotency-Key, and commits before it answers.

A write, in order: verify the token; wait for what `Tailrace-After` names; lock (tenant, user, key) or 409; replay a stored answer or run the
endpoint; write facts; set `Location`, `ETag` and `Tailrace-Event`; store the 2xx answer; commit. Two writers that collide start over, unless
`If-Match` says that the client wants to know.
"""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any, ClassVar

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm.exc import StaleDataError

from tailrace import consistency, idempotency, tracing
from tailrace.auth import Verifier, bearer_token
from tailrace.context import Context, Principal
from tailrace.database import Database
from tailrace.database import Tx as Transaction
from tailrace.etag import etag
from tailrace.failures import is_conflict
from tailrace.location import set_location
from tailrace.problems import Problem, ProblemView
from tailrace.subscribers import Subscriber

__all__ = ["Body", "TenantRoute", "Tx", "View", "tenant_router"]

_SAFE = {"GET", "HEAD", "OPTIONS"}
_ATTEMPTS = 4

_LATE: dict[str, Any] = {"model": ProblemView, "description": "What `Tailrace-After` names is not applied here yet"}

_current: ContextVar[Transaction] = ContextVar("tx")

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Body(BaseModel):
    """What a client may send. An unknown field is refused, so `tenant_id`, `id` or `role` cannot be slipped in."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class View(BaseModel):
    """What a client is shown. A view with a `version` carries it as its ETag."""

    model_config = ConfigDict(from_attributes=True)


# Dependencies are coroutines although they await nothing: FastAPI sends plain functions to a thread, twice the price of the whole check.
async def _tx(request: Request) -> Transaction:
    tx = request.state.tx
    assert isinstance(tx, Transaction)
    return tx


Tx = Annotated[Transaction, Depends(_tx)]
"""The request's transaction, opened and committed by TenantRoute."""


class ChangedMeanwhile(Problem):
    """412: somebody else committed between the version check and ours."""

    status, slug, title = 412, "stale", "Changed meanwhile"


class TenantRoute(APIRoute):
    """A route of a logged-in tenant; make routers of them with `tenant_router`."""

    reads: ClassVar[Sequence[Subscriber]] = ()
    """Whose rows the route shows or builds on: what they have to have applied when a request names it in `Tailrace-After`."""

    siblings: ClassVar[Sequence[object]] = ()
    """The routes of the same router."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = set(options.get("methods") or ["GET"])
        # These headers are read before FastAPI sees the request, so FastAPI has to be told that they exist.
        declared = [_declared_after()] if self.reads else []
        if not methods <= _SAFE:
            declared.append(_declared_key(required="POST" in methods))
            endpoint = _settled(endpoint)
        if declared:
            options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "parameters": declared}
        if self.reads:
            options["responses"] = {503: _LATE, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Endpoint:
        endpoint = super().get_route_handler()
        versioned = _has_version(self.response_model)
        methods = self.methods or set()
        key_required = "POST" in methods
        reads = self.reads

        async def read(request: Request) -> Response:
            principal = await _authenticate(request)
            await consistency.wait_until_applied(request, reads)
            return await _read(request, endpoint, principal, versioned)

        async def answer(request: Request) -> Response:
            response = await endpoint(request)
            set_location(request, response, self, self.siblings)
            return response

        async def write(request: Request) -> Response:
            principal = await _authenticate(request)
            key = idempotency.key_of(request, required=key_required)
            await consistency.wait_until_applied(request, reads)
            return await _write(request, answer, principal, key, versioned)

        return read if methods <= _SAFE else write


def tenant_router(prefix: str, *, tag: str, reads: Sequence[Subscriber] = ()) -> APIRouter:
    """A router whose every route is a TenantRoute.

    `reads` names the subscribers whose rows the routes show or build on: a request with `Tailrace-After` waits for them (see `consistency`).
    """
    named = tuple(reads)

    class Route(TenantRoute):
        reads = named

    router = APIRouter(prefix=prefix, tags=[tag], route_class=Route, redirect_slashes=False)
    Route.siblings = router.routes
    return router


async def _read(request: Request, endpoint: Endpoint, principal: Principal, versioned: bool) -> Response:
    database: Database = request.app.state.database
    async with database.transaction(_context(request, principal), read_only=True) as tx:
        request.state.tx = tx
        response = await endpoint(request)
    _set_etag(response, versioned)
    return response


async def _write(
    request: Request, endpoint: Endpoint, principal: Principal, key: str | None, versioned: bool
) -> Response:
    asked = idempotency.fingerprint(request, await request.body())
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await _write_once(request, endpoint, principal, key, asked, versioned)
        except Exception as error:
            if not is_conflict(error) or attempt == _ATTEMPTS:
                raise
            if "if-match" in request.headers and isinstance(error, StaleDataError):
                raise ChangedMeanwhile("It was changed while this request was under way.") from error
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


async def _write_once(
    request: Request, endpoint: Endpoint, principal: Principal, key: str | None, asked: bytes, versioned: bool
) -> Response:
    database: Database = request.app.state.database
    context = replace(_context(request, principal), traceparent=tracing.traceparent(request.state.trace))
    async with database.transaction(context) as tx:
        request.state.tx = tx
        _current.set(tx)
        if key is not None:
            stored = await idempotency.claim(tx, principal.user_id, key, asked)
            if stored is not None:
                return stored
        response = await endpoint(request)
        _set_etag(response, versioned)
        if tx.recorded:
            response.headers["Tailrace-Event"] = ", ".join(recorded.mark for recorded in tx.recorded)
        if key is not None and response.status_code < 300:
            await idempotency.store(tx, principal.user_id, key, asked, response)
    return response


async def _authenticate(request: Request) -> Principal:
    verifier: Verifier = request.app.state.verifier
    principal = await verifier.principal(bearer_token(request))
    request.state.principal = principal
    structlog.contextvars.bind_contextvars(tenant=str(principal.tenant_id))
    return principal


def _context(request: Request, principal: Principal) -> Context:
    return Context(principal.tenant_id, principal.user_id, request.state.correlation_id)


def _settled(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, with everything written before its answer is drawn up: defaults, versions and times are then what was stored."""

    @wraps(endpoint)
    async def settled(*arguments: Any, **named: Any) -> Any:
        answer = await endpoint(*arguments, **named)
        await _current.get().settle()
        return answer

    return settled


def _declared_after() -> dict[str, Any]:
    return {
        "name": consistency.HEADER,
        "in": "header",
        "required": False,
        "description": "What `Tailrace-Event` of an earlier write said: the answer waits for it, up to a second, or is a 503.",
        "schema": {"type": "string"},
    }


def _declared_key(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Yours to choose, the same on every retry of one request: it has one effect and one answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def _has_version(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel) and "version" in model.model_fields


def _set_etag(response: Response, versioned: bool) -> None:
    if versioned and response.status_code < 300 and response.body:
        response.headers["ETag"] = etag(json.loads(bytes(response.body))["version"])
