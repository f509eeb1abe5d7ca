"""The routes that need no access token. They learn the tenant from what they are given, so they open their transactions themselves, and
since they answer with secrets, no answer of theirs is stored under an Idempotency-Key.
"""

from typing import Any
from uuid import UUID

from fastapi import Request, Response

from identity import exchange, kafka_tokens, log_in, sessions
from identity.audit import From
from identity.bodies import LogIn, RefreshBody
from identity.refusals import RefreshRefused
from identity.tokens import Issuer
from identity.views import ExchangedToken, Tokens
from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.http.protocol.strict import declared, public_router
from tailrace.observability import tracing

router = public_router(tag="auth")


@router.post("/v1/auth/login", response_model=Tokens, responses=declared(401, 429))
async def log_in_user(request: Request, response: Response, body: LogIn, origin: From) -> Tokens:
    """Log in. 401 when the credentials are wrong; 429 with `Retry-After` after too many wrong ones."""
    grant = await log_in.log_in(_database(request), _context(request), body, origin)
    return await _answer(request, response, grant)


@router.post("/v1/auth/refresh", response_model=Tokens, responses=declared(401))
async def refresh_tokens(request: Request, response: Response, body: RefreshBody, origin: From) -> Tokens:
    """Exchange a refresh token, once, for new tokens. A second use ends the session for everybody who holds one of its tokens."""
    token = body.refresh_token.get_secret_value()
    tenant_id = sessions.tenant_of(token)
    if tenant_id is None:
        raise RefreshRefused
    async with _database(request).transaction(_context(request).for_tenant(tenant_id)) as tx:
        grant = await sessions.refresh(tx, token, origin)
    if grant is None:
        raise RefreshRefused
    return await _answer(request, response, grant)


@router.post(
    "/v1/auth/token",
    response_model=ExchangedToken,
    responses=declared(401, 403),
    openapi_extra=exchange.DECLARED,
)
async def exchange_token(request: Request, response: Response, origin: From) -> ExchangedToken:
    """Exchange an access token for one that is good for five minutes at most, at one service only (RFC 8693)."""
    body = await exchange.asked_for(request)
    exchanging: exchange.Exchange = request.app.state.exchange
    claims = exchange.narrowed(await exchanging.subject(body), body)
    async with _database(request).transaction(_context(request).for_tenant(UUID(claims["tenant"]))) as tx:
        exchange.note(tx, claims, origin)
    response.headers["Cache-Control"] = "no-store"
    return await exchanging.issue(claims)


@router.post("/internal/kafka/token", include_in_schema=False, openapi_extra=kafka_tokens.DECLARED)
async def issue_kafka_token(request: Request, response: Response, given: kafka_tokens.Given) -> dict[str, Any]:
    """A token that one of the platform's own clients logs in to Kafka with."""
    response.headers["Cache-Control"] = "no-store"
    return await kafka_tokens.granted(request, given)


@router.post("/v1/auth/logout", status_code=204)
async def log_out_user(request: Request, body: RefreshBody, origin: From) -> None:
    """End the session of a refresh token. Like RFC 7009, an unknown or ended one is no error."""
    token = body.refresh_token.get_secret_value()
    tenant_id = sessions.tenant_of(token)
    if tenant_id is not None:
        async with _database(request).transaction(_context(request).for_tenant(tenant_id)) as tx:
            await sessions.log_out(tx, token, origin)


@router.get("/.well-known/jwks.json")
async def read_keys(request: Request, response: Response) -> dict[str, Any]:
    """The keys that access tokens verify with (RFC 7517): those that signed a token that may still be good, and the next one."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return await _issuer(request).keys.published()


async def _answer(request: Request, response: Response, grant: sessions.Grant) -> Tokens:
    response.headers["Cache-Control"] = "no-store"
    return await _issuer(request).tokens(grant)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _issuer(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    return issuer


def _context(request: Request) -> Context:
    return Context(
        tenant_id=None,
        correlation_id=request.state.correlation_id,
        traceparent=tracing.traceparent(request.state.trace),
    )
