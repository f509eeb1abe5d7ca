"""A lead: somebody who might buy. New, then qualified; converted into a customer, or lost.

Every change is a method that refuses, or records an event.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from contracts import leads as events
from contracts.leads import Handing, LeadStatus, Via
from opportunities.base import Base
from opportunities.refusals import LeadState
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.core.values.text import block, shortened
from tailrace.db.keys import tenant_index
from tailrace.db.models import SoftDeleted
from tailrace.db.text_search.matching import match_keys
from tailrace.db.text_search.search import Searchable
from tailrace.db.visibility import Owned

_LONGEST_NOTE = 2000
STATES = Transitions[LeadStatus](
    "Lead",
    {
        "new": {"changed": "new", "qualified": "qualified", "converted": "converted", "lost": "lost"},
        "qualified": {"changed": "qualified", "converted": "converted", "lost": "lost"},
        "converted": {"refused": "qualified"},
        "lost": {"reopened": "new"},
    },
    LeadState,
)


class Lead(SoftDeleted, Searchable, Owned, Base):
    __tablename__ = "lead"
    sorted_by = "name"
    __table_args__ = (
        tenant_index("owner_id", "id"),
        tenant_index("name", "id"),
        tenant_index("team_id", "id"),
        tenant_index("status", "id"),
        tenant_index("score", "id"),
        tenant_index("created_at", "id"),
        tenant_index("customer_id"),
        tenant_index("own_customer_id"),
        tenant_index("opportunity_id"),
    )
    owned_by = "owner_id"

    status: Mapped[LeadStatus]
    name: Mapped[str]
    company: Mapped[str | None]
    position: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    country: Mapped[str | None]
    language: Mapped[str | None]
    source: Mapped[str | None]
    note: Mapped[str | None]
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    reference: Mapped[str | None]
    """What another system calls it."""
    via: Mapped[Via]
    form_id: Mapped[UUID | None]
    answers: Mapped[list[dict[str, Any]]]
    """What a form asked besides: `key` and `value`."""
    consent: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sent: Mapped[int]
    """How often a form brought it."""
    last_sent_at: Mapped[datetime | None]
    owner_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    rule: Mapped[str | None]
    """The rule by which it was assigned."""
    score: Mapped[int]
    score_reasons: Mapped[list[dict[str, Any]]]
    reason: Mapped[str | None]
    """Why it was lost, or could not become a customer."""
    customer_id: Mapped[UUID | None]
    """Whose it became, once it was converted: whom that customer stands for by now."""
    own_customer_id: Mapped[UUID | None]
    """Whose it became itself."""
    handing: Mapped[Handing | None]
    """How far its customer is, once it was converted."""
    contact_id: Mapped[UUID | None]
    opportunity_id: Mapped[UUID | None]
    match_keys: Mapped[list[Any]] = mapped_column(deferred=True)

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> Self:
        """A new lead from its columns."""
        none: dict[str, Any] = dict.fromkeys(
            "reference form_id consent last_sent_at rule reason customer_id own_customer_id handing contact_id opportunity_id team_id".split()
        )
        lead = cls(id=uuid7(), status="new", **{**none, "answers": [], "sent": 0, **values})
        lead._index()
        lead.record_as(events.LeadCreated)
        if lead.owner_id is not None:
            lead._tell_owner(None)
        return lead

    def after(self, step: str) -> LeadStatus:
        """The status that a step leads to. Raises LeadState."""
        return STATES.after(self.status, step, self.company or self.name)

    def change(self, values: Mapping[str, Any]) -> None:
        """Raises LeadState."""
        self.status = self.after("changed")
        self.update_from(values)
        self._tell()

    def rate(self, score: int, reasons: list[dict[str, Any]]) -> bool:
        """Have this score; whether that is another one than before, or for other reasons."""
        if (score, reasons) == (self.score, self.score_reasons):
            return False
        self.score, self.score_reasons = score, reasons
        self.record_as(events.LeadUpdated)
        return True

    def note_again(self, at: datetime, note: str | None) -> None:
        """It was sent once more by the same person."""
        self.sent, self.last_sent_at = self.sent + 1, at
        if note:
            self.note = shortened("\n".join(text for text in (self.note, note) if text), _LONGEST_NOTE, block)
        self._tell()

    def qualify(self) -> None:
        """Raises LeadState."""
        self.status = self.after("qualified")
        self.record(events.LeadQualified(lead_id=self.id))
        self._tell()

    def lose(self, reason: str) -> None:
        """Raises LeadState."""
        self.status, self.reason = self.after("lost"), reason
        self.record(events.LeadLost(lead_id=self.id, reason=reason))
        self._tell()

    def reopen(self, reason: str) -> None:
        """Raises LeadState."""
        self.status, self.reason = self.after("reopened"), None
        self.record(events.LeadReopened(lead_id=self.id, reason=reason))
        self._tell()

    def hand_over(self, owner_id: UUID | None, team_id: UUID | None, rule: str | None = None) -> None:
        """Be looked after by somebody else, whatever state it is in."""
        previous, self.owner_id, self.team_id, self.rule = self.owner_id, owner_id, team_id, rule
        self._tell_owner(previous)
        self._tell()

    def convert(self, asked: events.LeadConverted) -> None:
        """Become a customer, who is asked for. Raises LeadState."""
        self.status, self.handing, self.reason = self.after("converted"), "asked", None
        self.customer_id = self.own_customer_id = asked.customer_id
        self.opportunity_id = asked.opportunity_id
        self.contact_id = asked.contact.person_id
        self.record(asked)
        self._tell()

    def settle(self, customer_id: UUID, contact_id: UUID | None) -> None:
        """The customer is there."""
        self.handing, self.contact_id = "done", contact_id
        self.customer_id = self.own_customer_id = customer_id
        self._tell()

    def refuse(self, customer_id: UUID, reason: str) -> None:
        """There can be no such customer. Raises LeadState."""
        self.status, self.handing, self.reason = self.after("refused"), "refused", reason
        self.customer_id = self.own_customer_id = self.contact_id = self.opportunity_id = None
        self.record(events.LeadConversionRefused(lead_id=self.id, customer_id=customer_id, reason=reason))
        self._tell()

    def belong_to(self, customer_id: UUID) -> None:
        """Its customer turned out to be another, or its own again."""
        self.customer_id = customer_id
        self._tell()

    def delete(self) -> None:
        """End it, and forget who the person was."""
        self.deleted_at = datetime.now(UTC)
        self.name, self.answers, self.match_keys = "", [], []
        self.company = self.email = self.phone = self.note = self.position = None
        self.make_searchable(match=())
        self.record(events.LeadDeleted(lead_id=self.id))

    def _tell(self) -> None:
        self._index()
        self.record_as(events.LeadUpdated)

    def _tell_owner(self, previous: UUID | None) -> None:
        owners = {"owner_id": self.owner_id, "previous_owner_id": previous}
        self.record(events.LeadAssigned(lead_id=self.id, rule=self.rule, **owners))

    def _index(self) -> None:
        self.match_keys = match_keys(self.company or self.name, (), _some(self.email), _some(self.phone))
        self.make_searchable(self.name, self.company, masked=_some(self.email), match=self.match_keys)


def about(lead: Mapping[str, Any] | Lead) -> dict[str, Any]:
    """What rules may ask of a lead, by the names of `bodies.Condition`."""
    said = {name: lead[name] if isinstance(lead, Mapping) else getattr(lead, name) for name in _ASKED}
    email = said["email"]
    return {**said, "email_domain": None if email is None else email.rpartition("@")[2]}


_ASKED: Sequence[str] = (
    *("name", "company", "position", "email", "phone", "country", "language", "source", "note", "amount", "via"),
    *("form_id", "score"),
)


def _some(text: str | None) -> list[str]:
    return [] if text is None else [text]


__all__ = ["STATES", "Lead", "about"]
