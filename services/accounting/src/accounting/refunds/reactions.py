"""What an approval does to a refund that waits for it: it is paid, once, or it is not."""

from accounting.refunds.commands import pay_approved
from accounting.refunds.models import Refund
from contracts import approvals
from tailrace.core.errors import Unknown
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import EVER, Reaction

decisions = Reaction("accounting.refund_decisions", since=EVER)


@decisions.on(approvals.ApprovalApproved)
async def approved(tx: Tx, event: approvals.ApprovalApproved, meta: Meta) -> None:
    refund = await _waiting(tx, event.subject)
    if refund is not None:
        await pay_approved(tx, refund, event.approval_id)


@decisions.on(approvals.ApprovalRejected)
async def rejected(tx: Tx, event: approvals.ApprovalRejected, meta: Meta) -> None:
    refund = await _waiting(tx, event.subject)
    if refund is not None and event.then != "restart":
        refund.reject(event.reason)


@decisions.on(approvals.ApprovalRecalled, approvals.ApprovalVoided)
async def given_up(tx: Tx, event: approvals.ApprovalRecalled | approvals.ApprovalVoided, meta: Meta) -> None:
    refund = await _waiting(tx, event.subject)
    if refund is not None:
        refund.reject(event.reason or "The request was recalled.")


async def _waiting(tx: Tx, subject: approvals.ApprovalSubject) -> Refund | None:
    """The refund that waits for this very answer; None when it does not, any more or at all."""
    if subject.kind != "refund":
        return None
    try:
        refund = await tx.load(Refund, subject.id)
    except Unknown as error:
        raise NotYet(f"refund {subject.id} is not here") from error
    return refund if refund.status == "in_approval" and refund.sha256 == subject.sha256 else None
