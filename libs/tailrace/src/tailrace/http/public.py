"""Transactions for strangers: routes of a `public_router` whose address, not a token, says whose rows they are about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import Request

from tailrace.core.context import Context
from tailrace.db.database import Database, Tx
from tailrace.observability import tracing

__all__ = ["acting_for"]


@asynccontextmanager
async def acting_for(request: Request, tenant_id: UUID, actor: str, *, read_only: bool = False) -> AsyncIterator[Tx]:
    """One transaction for a tenant that a signed address names, and for no user of it; it commits at the end. `actor` is who did it, in events:
    `link:<id>`."""
    database: Database = request.app.state.database
    trace = tracing.traceparent(request.state.trace)
    context = Context(tenant_id, correlation_id=request.state.correlation_id, traceparent=trace, actor=actor)
    async with database.transaction(context, read_only=read_only) as tx:
        yield tx
