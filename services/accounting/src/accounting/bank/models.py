"""Statements of a bank, and each line of them until it is known what it is."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from accounting.bank.reading import ReadStatement, StatementLine
from accounting.bank.refusals import LineState
from accounting.models import Base
from contracts import payments as events
from tailrace.core.ids import uuid7
from tailrace.core.transitions import Transitions
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value

LineStatus = Literal["open", "matched", "dismissed"]
STATES = Transitions[LineStatus](
    "Line",
    {
        "open": {"matched": "matched", "dismissed": "dismissed"},
        "matched": {},
        "dismissed": {},
    },
    LineState,
)


class BankStatement(Aggregate, Base):
    """A file that was read. The same one of the same account is read once."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        unique_value("bank_account_id", "sha256"),
        refers_to("bank_account", "bank_account_id"),
    )

    bank_account_id: Mapped[UUID]
    sha256: Mapped[str]
    format: Mapped[Literal["camt.053", "csv"]]
    name: Mapped[str]
    opening: Mapped[int | None]
    closing: Mapped[int | None]
    lines: Mapped[int]
    """How many it has."""
    fresh: Mapped[int]
    """How many of them no earlier file had."""

    @classmethod
    def read(cls, bank_account_id: UUID, format: str, sha256: str, said: ReadStatement, fresh: int) -> "BankStatement":
        row: dict[str, Any] = {"name": said.name, "opening": said.opening, "closing": said.closing}
        statement = cls(
            id=uuid7(),
            bank_account_id=bank_account_id,
            format=format,
            sha256=sha256,
            lines=len(said.lines),
            fresh=fresh,
            **row,
        )
        statement.record_as(events.BankStatementImported)
        return statement


class BankLine(Aggregate, Base):
    """A movement on an account at a bank, above zero for money that came in."""

    __tablename__ = "bank_line"
    __table_args__ = (
        unique_value("bank_account_id", "line_key"),
        refers_to("bank_statement", "bank_statement_id"),
        tenant_index("status", "id"),
        tenant_index("bank_statement_id", "id"),
        tenant_index("refund_id", where="refund_id IS NOT NULL"),
    )

    bank_account_id: Mapped[UUID]
    bank_statement_id: Mapped[UUID]
    line_key: Mapped[str]
    status: Mapped[LineStatus]
    currency: Mapped[str]
    amount: Mapped[int]
    booked_on: Mapped[date]
    value_day: Mapped[date]
    payer_name: Mapped[str | None]
    payer_iban: Mapped[str | None]
    reference: Mapped[str | None]
    bank_reference: Mapped[str | None]
    payment_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column()
    """Why it is nothing that customers paid."""

    @classmethod
    def read(cls, statement: BankStatement, currency: str, said: StatementLine) -> "BankLine":
        names = ("amount", "booked_on", "value_day", "payer_name", "payer_iban", "reference", "bank_reference")
        line = cls(
            id=uuid7(),
            bank_account_id=statement.bank_account_id,
            bank_statement_id=statement.id,
            line_key=said.key,
            status="open",
            currency=currency,
            payment_id=None,
            refund_id=None,
            reason=None,
            **{name: getattr(said, name) for name in names},
        )
        line.record_as(events.BankLineImported)
        return line

    @property
    def name(self) -> str:
        """As people tell it from others."""
        return f"of {self.value_day} over {self.amount} {self.currency}"

    def after(self, step: str) -> LineStatus:
        """The status that a step leads to. Raises LineState."""
        return STATES.after(self.status, step, self.name)

    def match(self, *, payment_id: UUID | None = None, refund_id: UUID | None = None) -> None:
        """Know which payment it is, come in or gone back, or which refund."""
        self.status, self.payment_id, self.refund_id = self.after("matched"), payment_id, refund_id
        self.record_as(events.BankLineMatched)

    def dismiss(self, reason: str) -> None:
        """Know that it is nothing that customers paid."""
        self.status, self.reason = self.after("dismissed"), reason
        self.record_as(events.BankLineDismissed)
