"""What clients say of reminders."""

from itertools import pairwise
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from tailrace.core.values.fields import Amount, Note
from tailrace.core.values.money import PRICE_BOUND, Currency
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_LEVELS = 9


class DunningLevel(Body):
    """A level of reminders."""

    days: Annotated[int, Field(ge=1, le=3650)]
    """How many days after an invoice was due it is reached."""
    fee: Annotated[Amount, Field(lt=PRICE_BOUND)] = 0
    """What a reminder of this level costs the customer, in minor units of `fee_currency`; an invoice of its own asks for it."""
    fee_currency: Currency | None = None
    """What `fee` is in; a reminder in another currency costs nothing."""
    text: Note | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.fee) != (self.fee_currency is not None):
            raise WrongFields("fee and fee_currency come together.", "fee", "fee_currency")
        return self


class DunningPolicyBody(Body):
    """When customers are reminded, all of it."""

    automatic: bool = False
    """Whether reminders go out by themselves, each night; when somebody asks otherwise."""
    levels: Annotated[list[DunningLevel], Field(max_length=MOST_LEVELS)] = []
    """From the first on, each later than the one before."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for at, (before, level) in enumerate(pairwise(self.levels), 1):
            if level.days <= before.days:
                raise WrongFields("Each level is reached later than the one before.", f"levels/{at}/days")
        return self


class NewDunningNotice(Body):
    """Whom to remind: of everything that has reached a level that it was not reminded at."""

    invoice_id: UUID
    """An invoice of theirs that is overdue; what else they owe in its currency is on the same reminder."""
