"""A key sent twice has one effect: the first 2xx answer is stored with the change that made it, and answered again.

The convention is that of draft-ietf-httpapi-idempotency-key-header-07 (expired, in wide use): 409 while the first is under way, 422 when the
request differs. Keys belong to one user of one tenant at one service, whose database holds them, and are kept for seven days.
"""

import asyncio
import hmac
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import bindparam, delete, func, insert, literal, select, tuple_

from tailrace.core.context import Context
from tailrace.core.errors import BadRequest, Problem
from tailrace.db.database import Database, Tx
from tailrace.db.tables import idempotency
from tailrace.observability.logs import log

KEPT_DAYS = 7
_KEY = re.compile("[\x20-\x7e]{1,255}")
_BATCH, _EVERY = 1000, 3600.0
_TRY_LOCK = select(func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))
_STORED = select(idempotency.c.request_hash, idempotency.c.status, idempotency.c.headers, idempotency.c.body).where(
    idempotency.c.tenant_id == bindparam("of_tenant"),
    idempotency.c.user_id == bindparam("of_user"),
    idempotency.c.key == bindparam("with_key"),
)
_STORE = insert(idempotency)
_HEADERS = ("content-type", "etag", "tailrace-event", "location")


class InFlight(Problem):
    """409: the first request with this key has not been answered yet."""

    status, slug, title = 409, "idempotency-key-in-flight", "The first request with this key is still under way"

    def __init__(self) -> None:
        super().__init__("Ask again shortly with the same key.", headers={"Retry-After": "1"})


class KeyReused(Problem):
    """422: this key was sent with another request."""

    status, slug, title = 422, "idempotency-key-reused", "This key belongs to another request"

    def __init__(self) -> None:
        detail = "The method, path or body differs from the first request with this key."
        super().__init__(detail, field="Idempotency-Key")


def declared(*, required: bool) -> dict[str, Any]:
    """The header, for an operation's parameters in OpenAPI."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Yours to choose, the same on every retry of one request: it has one effect and one answer. It is known to the service that "
        "this path belongs to, and to no other.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def key_of(request: Request, *, required: bool) -> str | None:
    """The Idempotency-Key. Raises BadRequest when it is missing where it is required, and for several or no printable ASCII anywhere."""
    given = [key.strip() for key in request.headers.getlist("idempotency-key")]
    if not given and not required:
        return None
    if len(given) == 1 and _KEY.fullmatch(given[0]):
        return given[0]
    detail = "Send an Idempotency-Key of 1 to 255 characters, the same on every retry of this request."
    raise BadRequest(detail, field="Idempotency-Key")


def fingerprint(request: Request, body: bytes) -> bytes:
    """What is kept of a request to know it again: keyed with the fleet's secret, since a body may hold a password that could be guessed."""
    secret: str = request.app.state.settings.secret
    scope = request.scope
    asked = b"%s %s?%s\n" % (request.method.encode(), scope["path"].encode(), scope["query_string"])
    return hmac.digest(f"idempotency:{secret}".encode(), asked + body, "sha256")


async def claim(tx: Tx, user_id: UUID, key: str, asked: bytes) -> Response | None:
    """Hold the key until the transaction ends. Returns the stored answer when there is one. Raises InFlight, KeyReused."""
    if not await tx.scalar(_TRY_LOCK, {"name": f"{tx.tenant_id}/{user_id}/{key}"}):
        raise InFlight
    whose = {"of_tenant": tx.tenant_id, "of_user": user_id, "with_key": key}
    row = (await tx.execute(_STORED, whose)).one_or_none()
    if row is None:
        return None
    if row.request_hash != asked:
        raise KeyReused
    return Response(row.body, row.status, {**row.headers, "Idempotency-Replayed": "true"})


async def store(tx: Tx, user_id: UUID, key: str, asked: bytes, response: Response) -> None:
    """Keep the answer, in the transaction of the change it answers for."""
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    row = {
        "tenant_id": tx.tenant_id,
        "user_id": user_id,
        "key": key,
        "request_hash": asked,
        "status": response.status_code,
        "headers": headers,
        "body": bytes(response.body),
    }
    await tx.execute(_STORE, row)


async def prune(database: Database, most: int = _BATCH) -> int:
    """Forget answers that were kept long enough, of every tenant, at most so many; returns how many."""
    keys = [idempotency.c.tenant_id, idempotency.c.user_id, idempotency.c.key]
    expired = select(*keys).where(idempotency.c.created_at < func.now() - timedelta(days=KEPT_DAYS)).limit(most)
    # Without a tenant, row-level security shows exactly these rows (kit migration 0003).
    async with database.transaction(Context(tenant_id=None)) as tx:
        gone = await tx.execute(delete(idempotency).where(tuple_(*keys).in_(expired)).returning(literal(1)))
        return len(gone.all())


async def prune_forever(database: Database, stop: asyncio.Event) -> None:
    """Prune now and every hour, in batches, until stopped. A database that is down is met again an hour later."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await prune(database) == _BATCH:
                continue
        except Exception as error:
            log.warning("idempotency keys not pruned", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _EVERY)
