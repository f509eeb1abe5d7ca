"""What the events of others lead to: documents are submitted and withdrawn, companies are founded, people and customers go."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from contracts.approvals import Submission, Withdrawal
from contracts.customers import CustomerDeleted
from contracts.submissions import SUBMISSIONS, WITHDRAWALS
from contracts.users import TenantCreated, UserDeleted, UserUpdated
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Delivery, Reaction, answering
from workflow import commands, deploying
from workflow.delegations import end_all
from workflow.desk import Desk
from workflow.projections import UserCopy
from workflow.timers import Demotion, Leaving, demotion, leaving, losing

submissions = Reaction("workflow.submissions", since=EVER)
founding = Reaction("workflow.founding", since=EVER)
goings = Reaction("workflow.goings", since=EVER)


@submissions.batch(*SUBMISSIONS)
async def submitted(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """They come in crowds, after an import or at the end of a month: what they have in common is asked for once, and all is written at once."""
    for some in _no_document_twice(deliveries):
        before, desk = await commands.in_force(tx, [_document(each) for each in some]), Desk(tx)
        for delivery in answering(tx, some):
            event: Submission = delivery.event  # type: ignore[assignment]
            await commands.submit(tx, event.subject, before.get(_document(delivery), ()), desk)
        await desk.close()
        await tx.settle()


def _no_document_twice(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """In parts, in order: what is asked for of a document again makes void what is written of it by then."""
    some: dict[tuple[str, UUID], Delivery] = {}
    for delivery in deliveries:
        if _document(delivery) in some:
            yield list(some.values())
            some = {}
        some[_document(delivery)] = delivery
    yield list(some.values())


def _document(delivery: Delivery) -> tuple[str, UUID]:
    event: Submission = delivery.event  # type: ignore[assignment]
    return event.subject.kind, event.subject.id


@submissions.on(*WITHDRAWALS)
async def withdrawn(tx: Tx, event: Withdrawal, meta: Meta) -> None:
    """An approval is good for the document as it was: it counts no more, even where it was given."""
    kind, id = event.withdrawn
    await commands.withdraw(tx, kind, id, "Its owner changed it, or took it back.")


@founding.on(TenantCreated)
async def found(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    await deploying.found(tx)


@goings.on(UserDeleted)
async def left(tx: Tx, event: UserDeleted, meta: Meta) -> None:
    await end_all(tx, event.user_id)
    roles = await _roles(tx, event.user_id)
    said = Leaving(successor_id=event.successor_id, roles=list(roles))
    await leaving.set(tx, event.user_id, datetime.now(UTC), said)


@goings.on(UserUpdated)
async def changed(tx: Tx, event: UserUpdated, meta: Meta) -> None:
    """An approval waits for those who have a role: who had it and has it no more is not waited for."""
    kept = event.roles if event.active else ()
    if lost := sorted({*await _roles(tx, event.user_id)} - {*kept}):
        # Under the event's id: a later one, which takes another role, does not stand in for it.
        await demotion.set(tx, meta.event_id, datetime.now(UTC), Demotion(user_id=event.user_id, roles=lost))


async def _roles(tx: Tx, user_id: UUID) -> Sequence[str]:
    """The roles that somebody had until now."""
    return await tx.scalar(select(UserCopy.roles).where(UserCopy.id == user_id)) or ()


@goings.on(CustomerDeleted)
async def customer_lost(tx: Tx, event: CustomerDeleted, meta: Meta) -> None:
    await losing.set(tx, event.customer_id, datetime.now(UTC))
