"""What the events of others lead to: documents are submitted and withdrawn, companies are founded, people and customers go."""

from datetime import UTC, datetime

from contracts.approvals import Submission, Withdrawal
from contracts.customers import CustomerDeleted
from contracts.submissions import SUBMISSIONS, WITHDRAWALS
from contracts.users import TenantCreated, UserDeleted
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import EVER, Reaction
from workflow import commands, deploying
from workflow.delegations import end_all
from workflow.timers import Leaving, leaving, losing

submissions = Reaction("workflow.submissions", since=EVER)
founding = Reaction("workflow.founding", since=EVER)
goings = Reaction("workflow.goings", since=EVER)


@submissions.on(*SUBMISSIONS)
async def submitted(tx: Tx, event: Submission, meta: Meta) -> None:
    await commands.submit(tx, event.subject)


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
    await leaving.set(tx, event.user_id, datetime.now(UTC), Leaving(successor_id=event.successor_id))


@goings.on(CustomerDeleted)
async def customer_lost(tx: Tx, event: CustomerDeleted, meta: Meta) -> None:
    await losing.set(tx, event.customer_id, datetime.now(UTC))
