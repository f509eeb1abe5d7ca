"""What a quote knows of the mail that took it to the customer: where to, and whether it went. One counts at a time, the newest."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from contracts import quote_mails as events
from tailrace.core.personal_data import Personal

if TYPE_CHECKING:
    from quotes.models import Quote


class Mail(BaseModel):
    """One mail, as the quote keeps it."""

    model_config = ConfigDict(frozen=True)

    address: Personal[str]
    status: Literal["sending", "sent", "failed"] = "sending"
    failure: str | None = None
    asked_at: datetime
    errand_id: UUID


class Mailed:
    """The part of a quote that is about its mail."""

    mail_kept: Mapped[dict[str, Any] | None] = mapped_column("mail", JSONB(none_as_null=True))
    """A `Mail`; None as long as none was asked for."""

    @property
    def mail(self) -> Mail | None:
        return None if self.mail_kept is None else Mail.model_validate(self.mail_kept)

    def ask_mail(self, address: str, errand_id: UUID, at: datetime) -> UUID | None:
        """Wait for what becomes of this mail. The answer is the errand of one that is to be given up for it."""
        before = self.mail
        self._keep(Mail(address=address, asked_at=at, errand_id=errand_id))
        _quote(self).record(events.QuoteMailRequested(**self._about(), address=address))
        return before.errand_id if before is not None and before.status == "sending" else None

    def note_mail(self, errand_id: UUID, failure: str | None) -> None:
        """It went, or why it did not. What is said of another mail than the newest is nothing new."""
        mail = self.mail
        if mail is None or mail.errand_id != errand_id:
            return
        self._keep(mail.model_copy(update={"status": "failed" if failure else "sent", "failure": failure}))
        if failure:
            _quote(self).record(events.QuoteMailFailed(**self._about(), failure=failure))
        else:
            _quote(self).record(events.QuoteMailSent(**self._about()))

    def _keep(self, mail: Mail) -> None:
        self.mail_kept = mail.model_dump(mode="json")

    def _about(self) -> dict[str, Any]:
        quote = _quote(self)
        same = ("number", "revision", "customer_id", "owner_id")
        return {"quote_id": quote.id, **{name: getattr(quote, name) for name in same}}


def _quote(mailed: Mailed) -> "Quote":
    return cast("Quote", mailed)
