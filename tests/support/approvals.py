"""Answers to what a document's owner submitted, as `approval.events` brings them: for tests of one owner alone."""

from typing import Any

from contracts import approvals
from contracts.approvals import ApprovalEvent, ApprovalSubject
from tailrace.core.ids import derived_id


def answer(kind: type[ApprovalEvent], subject: ApprovalSubject, **said: Any) -> ApprovalEvent:
    """What is said of a submission: always under the same approval's id for the same submission."""
    return kind(approval_id=derived_id("approval", subject.kind, subject.id, subject.sha256), subject=subject, **said)


APPROVED, REJECTED = approvals.ApprovalApproved, approvals.ApprovalRejected
