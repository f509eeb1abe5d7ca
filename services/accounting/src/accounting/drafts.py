"""Journals by hand above the company's limit wait for an approval, and are posted when it is given: once, and only as they were submitted."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import rfc8785
from sqlalchemy.orm import Mapped, mapped_column

from accounting import posting
from accounting.books import hold
from accounting.models import Base
from accounting.refusals import ApprovalNeeded, DraftState, NoApprovalNeeded, Unbalanced
from accounting.streams import imbalance
from contracts import accounting as events
from contracts.accounting import JournalLimit, JournalLine
from contracts.approvals import ApprovalSubject
from tailrace.core.context import Principal
from tailrace.core.errors import Invalid, Problem
from tailrace.core.ids import derived_id, uuid7
from tailrace.core.transitions import Transitions
from tailrace.core.values.money import LARGEST_AMOUNT
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("journal draft", "JD-{number:06}")
DraftStatus = Literal["in_approval", "posted", "rejected", "withdrawn"]
_OVER: dict[str, DraftStatus] = {"posted": "posted", "rejected": "rejected", "withdrawn": "withdrawn"}
STATES = Transitions[DraftStatus](
    "Journal draft", {"in_approval": _OVER, "posted": {}, "rejected": {}, "withdrawn": {}}, DraftState
)


class JournalLimits(Aggregate, Base):
    """There is one, under an id that the tenant's makes."""

    __tablename__ = "journal_limits"

    limits: Mapped[list[dict[str, Any]]]


class JournalDraft(Aggregate, Base):
    __tablename__ = "journal_draft"
    __table_args__ = (tenant_index("status", "id"),)

    number: Mapped[str]
    text: Mapped[str]
    lines: Mapped[list[dict[str, Any]]]
    effective_at: Mapped[datetime | None]
    requester_id: Mapped[UUID]
    status: Mapped[DraftStatus]
    sha256: Mapped[str]
    reason: Mapped[str | None]
    """Why it was not posted."""
    journal_id: Mapped[UUID | None] = mapped_column()
    """The journal that it became."""

    @property
    def journal_lines(self) -> list[JournalLine]:
        return [JournalLine.model_validate(line) for line in self.lines]

    def awaits(self) -> str | None:
        """The hash of what it waits for an approval of; None while it waits for none."""
        return self.sha256 if self.status == "in_approval" else None

    def submit(self, amount: int, currency: str) -> None:
        accounts = " ".join(sorted({line.account for line in self.journal_lines}))
        subject = ApprovalSubject(
            kind="journal",
            id=self.id,
            number=self.number,
            sha256=self.sha256,
            amount=amount,
            currency=currency,
            requester_id=self.requester_id,
            attributes={"accounts": accounts},
        )
        said = {"text": self.text, "lines": self.journal_lines, "effective_at": self.effective_at}
        self.record(events.JournalSubmitted(draft_id=self.id, number=self.number, subject=subject, **said))

    def become(self, journal_id: UUID, approval_id: UUID) -> None:
        self.status, self.journal_id = STATES.after(self.status, "posted", self.number), journal_id
        self.record(
            events.JournalDraftPosted(
                draft_id=self.id, number=self.number, journal_id=journal_id, approval_id=approval_id
            )
        )

    def reject(self, reason: str) -> None:
        self.status, self.reason = STATES.after(self.status, "rejected", self.number), reason
        self.record(events.JournalDraftRejected(draft_id=self.id, number=self.number, reason=reason))

    def withdraw(self, reason: str | None) -> None:
        self.status, self.reason = STATES.after(self.status, "withdrawn", self.number), reason
        self.record(events.JournalWithdrawn(draft_id=self.id, number=self.number, reason=reason))


def limits_id(tenant_id: UUID) -> UUID:
    return derived_id("accounting.journal_limits", tenant_id)


async def limits_of(tx: Tx) -> list[JournalLimit]:
    """The company's limits; none until somebody said some."""
    kept = await tx.get(JournalLimits, (tx.tenant_id, limits_id(tx.tenant_id)))
    return [] if kept is None else [JournalLimit.model_validate(each) for each in kept.limits]


async def replace_limits(tx: Tx, limits: Sequence[JournalLimit]) -> None:
    """Raises Invalid for two of one currency."""
    currencies = [limit.currency for limit in limits]
    for at, currency in enumerate(currencies):
        if currency in currencies[:at]:
            raise Invalid.field(f"/limits/{at}/currency", "There is a limit in this currency already.")
    id = limits_id(tx.tenant_id)
    kept = await tx.get(JournalLimits, (tx.tenant_id, id))
    if kept is None:
        kept = JournalLimits(id=id)
        tx.add(kept)
    else:
        kept = await tx.load(JournalLimits, id)
    kept.limits = [limit.model_dump(mode="json") for limit in limits]
    kept.record(events.JournalLimitsChanged(limits_id=id, limits=list(limits)))


async def ensure_within_limit(tx: Tx, lines: Sequence[JournalLine]) -> None:
    """Raises ApprovalNeeded for a journal that a person may not post alone."""
    above = _above(await limits_of(tx), lines)
    if above is not None:
        raise ApprovalNeeded(f"{above[0]} {above[1]} in debits is above the limit: submit it as a journal draft.")


async def submit(tx: Tx, who: Principal, text: str, lines: Sequence[JournalLine], at: datetime | None) -> JournalDraft:
    """Let a journal wait for approval. Raises NoApprovalNeeded, Unbalanced, Invalid, ControlAccount, Implausible, DayLocked.

    One that takes effect when it is approved has no day yet.
    """
    # The books are held, so that no account goes between this look and the commit.
    await hold(tx)
    above = _above(await limits_of(tx), lines)
    if above is None:
        raise NoApprovalNeeded("It is within the limit: post it as a journal.")
    await posting.check_manual(tx, lines)
    if differences := imbalance(lines):
        raise Unbalanced(differences)
    if above[0] > LARGEST_AMOUNT:
        raise Invalid.field(
            "/lines", f"{above[0]} {above[1]} in debits is too much for one approval: submit it in parts."
        )
    if at is not None:
        await posting.check_day(tx, at)
    draft = JournalDraft(
        id=uuid7(),
        number=await NUMBERS.next(tx),
        text=text,
        lines=[line.model_dump(mode="json") for line in lines],
        effective_at=at,
        requester_id=who.user_id,
        status="in_approval",
    )
    said: Any = {"number": draft.number, "text": text, "lines": draft.lines, "effective_at": at and at.isoformat()}
    draft.sha256 = sha256(rfc8785.dumps(said)).hexdigest()
    draft.submit(*above)
    tx.add(draft)
    return draft


async def post(tx: Tx, draft: JournalDraft, approval_id: UUID) -> None:
    """Post what was approved. What cannot be posted any more (its day is locked by now) is rejected, with the reason."""
    try:
        async with tx.begin_nested():
            journal_id = await posting.post_manual(tx, draft.text, draft.journal_lines, draft.effective_at)
    except Problem as problem:
        draft = await tx.load(JournalDraft, draft.id)
        draft.reject(problem.detail or problem.title)
        return
    draft = await tx.load(JournalDraft, draft.id)
    draft.become(journal_id, approval_id)


def _above(limits: Sequence[JournalLimit], lines: Sequence[JournalLine]) -> tuple[int, str] | None:
    """What a journal comes to in a currency in which that is above the limit: the sum of its debits."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.debit
    allowed = {limit.currency: limit.amount for limit in limits}
    found = [(total, currency) for currency, total in sorted(sums.items()) if total > allowed.get(currency, total)]
    return found[0] if found else None
