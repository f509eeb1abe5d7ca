"""What an approval does to a refund that waits for it: it is paid, once, or it is not."""

from accounting.refunds.commands import pay_approved
from accounting.refunds.models import Refund
from contracts import approvals
from tailrace.db.database import Tx
from tailrace.messaging.answers import Answers

decisions = Answers("accounting.refund_decisions", "refund", Refund, Refund.awaits)


@decisions.to(approvals.ApprovalApproved)
async def approved(tx: Tx, refund: Refund, answer: approvals.ApprovalApproved) -> None:
    await pay_approved(tx, refund, answer.approval_id)


@decisions.to(approvals.ApprovalRejected, approvals.ApprovalRecalled, approvals.ApprovalVoided)
async def given_up(tx: Tx, refund: Refund, answer: approvals.NoApproval) -> None:
    refund.reject(answer.reason or "The request was recalled.")
