"""One visible route class: it knows who asks, opens the transaction, keeps the promise of the Idempotency-Key, and commits before it answers.

A write, in order: verify the token; wait for what `Tailrace-After` names; lock (tenant, user, key) or 409; replay a stored answer or run the
endpoint; write events; begin what starts at once; set `Location`, `ETag` and `Tailrace-Event`; store the 2xx answer; commit. Two writers that
collide start over, unless `If-Match` says that the client wants to know.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, wraps
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm.exc import StaleDataError
from starlette.routing import Match
from starlette.types import Scope

from tailrace.core.context import Context, Principal
from tailrace.core.errors import BadRequest, Stale
from tailrace.core.retries.backoff import Backoff
from tailrace.core.values.fields import Sentence
from tailrace.core.values.money import refuse_bare_decimals
from tailrace.core.values.wire import WireModel
from tailrace.db.database import Database
from tailrace.db.database import Tx as Transaction
from tailrace.db.error_classes import is_conflict
from tailrace.db.models import Part
from tailrace.http import idempotency, masks, read_your_writes
from tailrace.http.auth import Verifier, bearer_token
from tailrace.http.etag import AlreadyThere, etag, etag_of_read, not_modified, tag_file, wants_nothing_there
from tailrace.http.files import exports
from tailrace.http.files.paper import Typeset, is_file
from tailrace.http.location import location_of
from tailrace.http.protocol.endpoints import Endpoint
from tailrace.http.protocol.strict import SAFE, StrictRoute
from tailrace.messaging.beginnings import Beginnings, NotNow
from tailrace.messaging.subscribers import Subscriber
from tailrace.observability import tracing
from tailrace.observability.logs import log

__all__ = ["Body", "ReasonBody", "ResourceView", "TenantRoute", "Tx", "View", "tenant_router"]

_REPLACES = {"PUT", "PATCH", "DELETE"}
_ATTEMPTS, _FIRST_PAUSE, _LONGEST_PAUSE = 4, 0.02, 0.3


@dataclass(slots=True)
class _Exchange:
    """A request under way: its transaction, and of what its endpoint answered, the id and the version, before that is turned into text."""

    tx: Transaction
    beginnings: Beginnings | None = None
    """What its events may begin at once; None in a read."""
    id: Any = None
    version: int | None = None
    """Its own; of a part, its root's."""
    is_part: bool = False


_current: ContextVar[_Exchange] = ContextVar("exchange")


class Body(WireModel):
    """What a client may send, each value in the one way it is written. A field that is not declared is refused, so none can be slipped in."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True)


class ReasonBody(Body):
    """Why."""

    reason: Sentence
    """Why, in a sentence or two, for people who read it later."""


class View(BaseModel):
    """What a client is shown. A view with a `version` carries it as its ETag."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        refuse_bare_decimals(cls)


class ResourceView(View):
    """The head that everything with an id and a version shows. `version` is its ETag."""

    id: UUID
    """Made at creation, a UUIDv7: later ones sort behind earlier ones."""
    version: int
    """Rises by one with every change; also the `ETag`, to be sent back as `If-Match`."""
    created_at: datetime
    """When it was made, in UTC."""
    updated_at: datetime
    """When it last changed, in UTC."""


# Dependencies are coroutines although they await nothing: FastAPI sends plain functions to a thread, twice the price of the whole check.
async def _tx(request: Request) -> Transaction:
    tx = request.state.tx
    assert isinstance(tx, Transaction)
    return tx


Tx = Annotated[Transaction, Depends(_tx)]
"""The request's transaction, opened and committed by TenantRoute."""

Answer = Callable[[Request, _Exchange], Coroutine[Any, Any, Response]]


class TenantRoute(StrictRoute):
    """A route of a logged-in tenant; make routers of them with `tenant_router`."""

    reads: ClassVar[Sequence[Subscriber]] = ()
    """Whose rows the route shows or builds on: what they have to have applied when a request names it in `Tailrace-After`."""

    reads_own: ClassVar[Sequence[Subscriber]] = ()
    """Of those that hear the service's own events, whose rows the route shows or builds on, and no command writes."""

    siblings: ClassVar[Sequence[object]] = ()
    """The routes of the same service."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = set(options.get("methods") or ["GET"])
        # These headers are read before FastAPI sees the request, so FastAPI has to be told that they exist.
        declared = [*(options.get("openapi_extra") or {}).get("parameters", ())]
        declared += [read_your_writes.declared()] if self.reads or self.reads_own else []
        if not methods <= SAFE:
            declared.append(idempotency.declared(required="POST" in methods))
        if declared:
            options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "parameters": declared}
        super().__init__(path, _noted(endpoint, settle=not methods <= SAFE), **options)

    @asynccontextmanager
    async def received(self, request: Request, principal: Principal) -> AsyncIterator[bytes]:
        """The body, or what stands for it where the same request is to be known again; taken before the transaction begins, held to its end."""
        yield await request.body()

    async def carried_out(
        self, request: Request, answer: "Answer", principal: Principal, key: str | None, body: bytes
    ) -> Response:
        """The write, in one transaction. For the kinds of routes that part their work into several."""
        return await write(request, answer, principal, key, body)

    @cached_property
    def _nearer(self) -> Sequence[APIRoute]:
        """The siblings that say a word where this one has a parameter."""
        routes = [route for route in self.siblings if isinstance(route, APIRoute)]
        return [route for route in routes if _is_nearer(route.path, self.path)]

    @cached_property
    def takes_if_match(self) -> bool:
        """Whether its endpoint, or what that depends on, has an `IfMatch`."""
        return any(field.alias == "If-Match" for field in get_flat_params(self.dependant))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A path that a sibling names is that sibling's for every method: `/units/convert` is no unit, and what it has no route for is a 405."""
        if any(route.path_regex.match(scope["path"]) for route in self._nearer):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Endpoint:
        methods = self.methods or set()
        reads_only = methods <= SAFE
        endpoint = super().get_route_handler()
        key_required = "POST" in methods
        awaited = read_your_writes.Awaited(self.reads, self.reads_own)

        async def answer(request: Request, exchange: _Exchange) -> Response:
            _current.set(exchange)
            request.state.tx = exchange.tx
            response = await endpoint(request)
            self._set_headers(request, response, exchange)
            return response

        view, answers_file = exports.view_of(self.response_model), is_file(self.response_class)

        async def read(request: Request) -> Response:
            principal = await _authenticate(request)
            await read_your_writes.wait_until_applied(request, awaited)
            database: Database = request.app.state.database
            context = _context(request, principal)
            if view is not None and (kind := exports.asked_for(request)) is not None:
                return await self._export(request, database, context, answer, view, kind)
            async with database.transaction(context, read_only=True) as tx:
                response = await answer(request, _Exchange(tx))
            if isinstance(response, Typeset):
                await response.made(principal.tenant_id)
            if view is not None:
                response.headers.append("Vary", "Accept")
            if answers_file and response.status_code == 200:
                tag_file(response)
            return not_modified(request, response) or response

        async def change(request: Request) -> Response:
            principal = await _authenticate(request)
            key = idempotency.key_of(request, required=key_required)
            if "if-match" in request.headers and not self.takes_if_match:
                # To write nevertheless is what the client asked not to do (RFC 9110, 13.1.1).
                raise BadRequest("This takes no If-Match: it has no version to compare.", field="If-Match")
            await read_your_writes.wait_until_applied(request, awaited)
            async with self.received(request, principal) as body:
                return await self.carried_out(request, answer, principal, key, body)

        return read if reads_only else change

    async def _export(
        self,
        request: Request,
        database: Database,
        context: Context,
        answer: "Answer",
        view: type[BaseModel],
        kind: str,
    ) -> Response:
        """All of a list, once its endpoint has let the caller in and said what is listed."""
        try:
            with exports.wanted():
                async with database.transaction(context, read_only=True) as tx:
                    return await answer(request, _Exchange(tx))
        except exports.Exporting as asked:
            name = request.scope["path"].removeprefix("/v1/").replace("/", "-")
            return exports.file_answer(database, context, asked, view, name, kind, tx.owners)

    def _set_headers(self, request: Request, response: Response, exchange: _Exchange) -> None:
        """`ETag` of what shows a version or is part of what has one, `Location` of what was created."""
        if response.status_code >= 300:
            return
        if exchange.version is not None and (exchange.is_part or has_version(self.response_model)):
            if request.method in SAFE:
                response.headers["ETag"] = etag_of_read(exchange.version, bytes(response.body))
                response.headers["Cache-Control"] = "private, no-cache"
            else:
                response.headers["ETag"] = etag(exchange.version)
        if response.status_code == 201 and exchange.id is not None:
            location = location_of(request.scope["path"], exchange.id, self.response_model, self.siblings)
            if location is not None:
                response.headers["Location"] = location


def _is_nearer(path: str, other: str) -> bool:
    """Whether a path is another one with words in place of some of its parameters."""
    pairs = list(zip(path.split("/"), other.split("/"), strict=False))
    differ = [
        (word, said) for word, said in pairs if word != said and not (_is_parameter(word) and _is_parameter(said))
    ]
    return path.count("/") == other.count("/") and bool(differ) and all(_is_parameter(said) for _, said in differ)


def _is_parameter(word: str) -> bool:
    return word.startswith("{")


def tenant_router(
    prefix: str,
    *,
    tag: str,
    about: str = "",
    reads: Sequence[Subscriber] = (),
    reads_own: Sequence[Subscriber] = (),
) -> APIRouter:
    """A router whose every route is a TenantRoute. `about` says in a sentence what the tag is.

    `reads` names the subscribers whose rows the routes show or build on: a request with `Tailrace-After` waits for them (see `read_your_writes`).
    `reads_own` names those of them that are waited for when the event is one of the service itself: most routes show what the command wrote.
    """
    named, named_own, said = tuple(reads), tuple(reads_own), about

    class Route(TenantRoute):
        reads = named
        reads_own = named_own
        about = said

    router = APIRouter(prefix=prefix, tags=[tag], route_class=Route, redirect_slashes=False)
    Route.siblings = router.routes  # until the app knows all of the service's
    return router


AnyRoute = TypeVar("AnyRoute", bound=type[TenantRoute])


def like(router: APIRouter, kind: AnyRoute, **own: Any) -> AnyRoute:
    """A class of routes of this kind, with what the routes of the router have in common; for `route_class_override`."""
    common: Any = router.route_class
    named = {
        "reads": common.reads,
        "reads_own": common.reads_own,
        "about": common.about,
        "siblings": common.siblings,
        **own,
    }
    return type(kind.__name__, (kind,), named)  # type: ignore[return-value]


async def write(request: Request, answer: Answer, principal: Principal, key: str | None, body: bytes) -> Response:
    """One write in one transaction of its own, begun over when it meets another one. `body` is what the request is known again by."""
    asked = idempotency.fingerprint(request, body)
    beginnings: Beginnings | None = request.app.state.beginnings
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    for attempt in range(1, _ATTEMPTS + 2):
        try:
            return await _write_once(request, answer, principal, key, asked, beginnings)
        except NotNow as error:
            # The command stands without it. What is wrong with the process shows when its event is delivered.
            log.warning("process not begun at once", exc_info=error)
            beginnings = None
        except Exception as error:
            if not is_conflict(error) or attempt >= _ATTEMPTS:
                raise
            if "if-match" in request.headers and isinstance(error, StaleDataError):
                raise Stale from error
            await asyncio.sleep(backoff.next())
    raise AssertionError("the last attempt returns or raises")


async def _write_once(
    request: Request,
    answer: Answer,
    principal: Principal,
    key: str | None,
    asked: bytes,
    beginnings: Beginnings | None,
) -> Response:
    database: Database = request.app.state.database
    only_new = request.method in _REPLACES and wants_nothing_there(request)
    context = replace(_context(request, principal), traceparent=tracing.traceparent(request.state.trace))
    async with database.transaction(context) as tx:
        if key is not None:
            stored = await idempotency.claim(tx, principal.user_id, key, asked)
            if stored is not None:
                return stored
        response = await answer(request, _Exchange(tx, beginnings))
        if only_new and response.status_code < 300 and response.status_code != 201:
            raise AlreadyThere("If-None-Match: * asks that there be nothing here yet.")
        if tx.recorded:
            response.headers["Tailrace-Event"] = ", ".join(recorded.mark for recorded in tx.recorded)
        if key is not None and response.status_code < 300:
            await idempotency.store(tx, principal.user_id, key, asked, response)
    return response


async def _authenticate(request: Request) -> Principal:
    verifier: Verifier = request.app.state.verifier
    principal = await verifier.principal(bearer_token(request))
    request.state.principal = principal
    masks.show_to(principal)
    structlog.contextvars.bind_contextvars(tenant=str(principal.tenant_id))
    return principal


def _context(request: Request, principal: Principal) -> Context:
    return Context(principal.tenant_id, principal.user_id, request.state.correlation_id)


def _noted(endpoint: Callable[..., Any], *, settle: bool) -> Callable[..., Any]:
    """The endpoint, with its answer noted, and before that, everything written: defaults, versions and times are then what was stored."""

    @wraps(endpoint)
    async def noted(*arguments: Any, **named: Any) -> Any:
        answer = await endpoint(*arguments, **named)
        exchange = _current.get()
        if settle:
            await exchange.tx.settle()
            if exchange.beginnings is not None:
                # What follows is the service's business, not the caller's.
                with exchange.tx.seeing_all():
                    await exchange.beginnings.begin(exchange.tx)
        exchange.is_part = isinstance(answer, Part)
        # The root of a part that was only read is still to be loaded.
        root = await exchange.tx.run_sync(lambda _: _root_of(answer)) if exchange.is_part else answer
        exchange.id, exchange.version = _value(answer, "id"), _value(root, "version")
        return answer

    return noted


def _root_of(part: Any) -> Any:
    """What a part belongs to, through the parts between them."""
    return _root_of(getattr(part, part.__root__)) if isinstance(part, Part) else part


def has_version(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel) and "version" in model.model_fields


def _value(answered: Any, name: str) -> Any:
    return answered.get(name) if isinstance(answered, Mapping) else getattr(answered, name, None)
