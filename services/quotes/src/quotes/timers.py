"""What time does to quotes: they expire after their last day; and batch by batch, they follow a customer or an owner who is gone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, mapped_column

from quotes.base import Base
from quotes.copies import Leaver, MergeCopy, UserCopy
from quotes.models import OPEN, Quote
from quotes.projections import days
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow
from tailrace.messaging.handover import Handover, Owner, Share
from tailrace.messaging.replica import followed
from tailrace.messaging.timers import Timer

AT_ONCE = 200
"""How many quotes are changed in one transaction."""
_ONE_DAY = timedelta(days=1)

expiry = Timer("quotes.expiry")
ending = Timer("quotes.customer_ending")


class CustomerEnd(TenantRow, Base):
    """A customer whose open quotes are still to be followed up: to the one that it stands for, or to their end."""

    __tablename__ = "customer_end"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    into_customer_id: Mapped[UUID | None]


async def await_expiry(tx: Tx, quote: Quote) -> None:
    """Let the quote expire when its last day is over, as the company counts its days now."""
    await expiry.set(tx, quote.id, await ends_at(tx, quote))


async def ends_at(tx: Tx, quote: Quote) -> datetime:
    """The first moment at which the quote cannot be accepted any more."""
    return (await days.calendar(tx)).first_moment(quote.valid_until + _ONE_DAY)


@expiry.due
async def expire(tx: Tx, quote_id: UUID) -> None:
    """Expire what was sent and not answered; later, when the company's days changed so that the last one is not over."""
    quote = await tx.load(Quote, quote_id)
    if quote.status != "sent":
        return
    if await days.today(tx) <= quote.valid_until:
        await await_expiry(tx, quote)
    else:
        quote.expire()


@ending.due
async def follow_up(tx: Tx, customer_id: UUID) -> None:
    """Give the open quotes of a merged customer to the other, and cancel those of a deleted one."""
    end = await tx.get(CustomerEnd, (tx.tenant_id, customer_id), with_for_update=True)
    if end is None:
        return
    theirs = select(Quote.id).where(Quote.customer_id == customer_id, Quote.status.in_(OPEN)).order_by(Quote.id)
    some = list(await tx.scalars(theirs.limit(AT_ONCE)))
    into = (
        None if end.into_customer_id is None else await followed(tx, MergeCopy.into_customer_id, end.into_customer_id)
    )
    for id in some:
        quote = await tx.load(Quote, id)
        if quote.status not in OPEN or quote.customer_id != customer_id:
            continue
        if into is not None:
            quote.belong_to(into)
        else:
            await expiry.clear(tx, quote.id)
            quote.cancel("The customer was deleted.")
    if len(some) == AT_ONCE:
        await ending.set(tx, customer_id, datetime.now(UTC))
    else:
        await tx.delete(end)


def _sold_by(user_id: UUID) -> Select[UUID]:
    return select(Quote.id).where(Quote.owner_id == user_id, Quote.status.in_(OPEN)).order_by(Quote.id)


async def _give(tx: Tx, id: UUID, to: Owner) -> None:
    (await tx.load(Quote, id)).hand_over(to)


handover = Handover("quotes.handover", Leaver, UserCopy, Share(_sold_by, _give), at_once=AT_ONCE)
