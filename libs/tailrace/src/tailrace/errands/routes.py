"""What an operator of a company sees of the calls to others that are still to be settled, and what can be done about them.

A service puts `errands_router("/v1/customers/errands", scopes.operate)` before the routers whose paths would take `errands` for an id. What was
settled is gone. Neither addresses nor bodies are shown, which may hold anything.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import case, func, join, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property

from tailrace.core.context import Principal
from tailrace.core.errors import Refused, Unknown
from tailrace.db import tables
from tailrace.db.database import Tx as Transaction
from tailrace.db.tables import errand, errand_turn
from tailrace.http.auth import Requires, Scope
from tailrace.http.lists.filters import equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, View, tenant_router

CANCELLED = "cancelled"
"""The failure of an errand that an operator ended."""
_JOINED = join(errand, errand_turn, errand.c.id == errand_turn.c.id)


class _Kit(DeclarativeBase):
    metadata = tables.metadata


class OpenErrand(_Kit):
    """An errand with its turn, for reading."""

    __table__ = _JOINED
    __mapper_args__ = {"primary_key": [errand.c.tenant_id, errand.c.id]}

    id: Mapped[UUID] = column_property(errand.c.id, errand_turn.c.id)
    tenant_id: Mapped[UUID] = column_property(errand.c.tenant_id, errand_turn.c.tenant_id)
    kind: Mapped[str] = column_property(errand.c.name, errand_turn.c.name)
    state: Mapped[str] = column_property(case((errand.c.answer.is_not(None), "answered"), else_="waiting"))
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime]


class BeingSettled(Refused):
    """409: its outcome is being applied at this moment."""

    slug, title = "errand-being-settled", "The call is being settled"


class ErrandView(View):
    """A call to others that is still to be settled."""

    id: UUID
    """Made when it was asked for, a UUIDv7; also the `Idempotency-Key` that the partner sees."""
    kind: str
    """What it is for, such as `customers.tax_id_check`."""
    target: str
    """Whom it asks: host and port."""
    state: Literal["waiting", "answered"]
    """Whether it is still to be answered, or the answer is there and could not be applied so far."""
    tries: int
    """How often it was tried."""
    last_error: str | None
    """A word for why the last try settled nothing; null before that."""
    tried_at: datetime | None
    """When that was, in UTC."""
    due_at: datetime
    """When it is next taken up, in UTC."""
    asked_at: datetime
    """When it was asked for, in UTC."""
    deadline: datetime
    """When it has failed, in UTC, unless it is answered before."""


def errands_router(prefix: str, operate: Scope) -> APIRouter:
    """The routes, under a path that the service exposes."""
    tag = f"{prefix.removeprefix('/v1/').removesuffix('/errands').replace('/', ' ')} errands"
    router = tenant_router(
        prefix, tag=tag, about="Calls to others that are still to be settled, for who looks after that."
    )
    operator = Annotated[Principal, Requires(operate)]
    page_of_errands = Annotated[
        PageRequest, listed(OpenErrand, equal(OpenErrand.kind), sort=[OpenErrand.asked_at], default="-id")
    ]

    async def list_errands(tx: Tx, who: operator, page: page_of_errands) -> Listing[OpenErrand]:
        """Calls that are still to be settled, the newest first."""
        return await paginate(tx, select(OpenErrand).where(OpenErrand.tenant_id == tx.tenant_id), page)

    async def read_errand(tx: Tx, who: operator, errand_id: UUID) -> OpenErrand:
        """One call. 404 once it is settled."""
        return await _open(tx, errand_id)

    async def retry_errand(tx: Tx, who: operator, errand_id: UUID) -> Any:
        """Try it again now. What is tried at this moment is called once more, under the same key."""
        await _take_up(tx, errand_id)
        return await _open(tx, errand_id)

    async def cancel_errand(tx: Tx, who: operator, errand_id: UUID) -> Any:
        """Call no more. Who asked for it is told that it failed, as `cancelled`; a call that is being made may reach the partner."""
        tries = (await _open(tx, errand_id)).tries  # type: ignore[attr-defined]
        await _take_up(tx, errand_id)
        ended = {"status": None, "headers": {}, "failure": CANCELLED, "tries": tries}
        await tx.execute(update(errand).where(errand.c.id == errand_id).values(answer=ended, answer_body=None))
        return await _open(tx, errand_id)

    router.add_api_route("", list_errands, methods=["GET"], response_model=Page[ErrandView])
    router.add_api_route("/{errand_id}", read_errand, methods=["GET"], response_model=ErrandView)
    router.add_api_route("/{errand_id}/retry", retry_errand, methods=["POST"], response_model=ErrandView)
    router.add_api_route("/{errand_id}/cancel", cancel_errand, methods=["POST"], response_model=ErrandView)
    return router


async def _open(tx: Transaction, id: UUID) -> OpenErrand:
    """Raises Unknown."""
    query = select(OpenErrand).where(OpenErrand.tenant_id == tx.tenant_id, OpenErrand.id == id)
    row = await tx.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise Unknown("Errand", id)
    return row


async def _take_up(tx: Transaction, id: UUID) -> None:
    """Let it be taken now; a process that has it at this moment settles nothing. Raises Unknown, BeingSettled."""
    await _open(tx, id)
    mine = (errand_turn.c.id == id, errand_turn.c.tenant_id == tx.tenant_id)
    free = await tx.scalar(select(errand_turn.c.id).where(*mine).with_for_update(skip_locked=True))
    if free is None:
        raise BeingSettled("Its outcome is being applied; look again.")
    now = {"due_at": func.now(), "taken": errand_turn.c.taken + 1}
    await tx.execute(update(errand_turn).where(*mine).values(now))
    tx.makes_due()
