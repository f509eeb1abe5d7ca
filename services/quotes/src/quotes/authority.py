"""Who may offer how much without anybody's approval.

A limit of the user's own counts before those of their roles, of which one is enough. Somebody without any may quote what the price lists say.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts.quotes import AuthorityLimit, QuoteAuthorityChanged
from quotes.base import Base
from quotes.models import Quote
from tailrace.core.context import Principal
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate

_NOBODYS = AuthorityLimit(max_discount_rate=Decimal(0))


class Authority(Aggregate, Base):
    """There is one, under an id that the tenant's makes."""

    __tablename__ = "authority"

    limits: Mapped[list[dict[str, Any]]]

    def limit(self, limits: Sequence[AuthorityLimit]) -> None:
        self.limits = [each.model_dump(mode="json") for each in limits]
        self.record(QuoteAuthorityChanged(authority_id=self.id, limits=list(limits)))


def id_of(tenant_id: UUID) -> UUID:
    """The id of a tenant's authority."""
    return derived_id("quotes.authority", tenant_id)


async def limits_of(tx: Tx) -> list[AuthorityLimit]:
    """The tenant's limits; none until somebody said some."""
    kept = await tx.get(Authority, (tx.tenant_id, id_of(tx.tenant_id)))
    return [] if kept is None else [AuthorityLimit.model_validate(each) for each in kept.limits]


def is_within(limits: Sequence[AuthorityLimit], who: Principal, quote: Quote) -> bool:
    """Whether `who` may send this quote without approval."""
    own = [each for each in limits if each.user_id == who.user_id]
    mine = own or [each for each in limits if each.role in who.roles]
    return any(_allows(each, quote) for each in mine or [_NOBODYS])


def largest_discount(quote: Quote) -> Fraction | None:
    """The largest share of a list price that any line is lowered by, what is taken off the whole included; None where a line has no list price."""
    whole = quote.whole.share(sum(line.amount for line in quote.counted))
    shares = [line.discount_from_list(whole) for line in quote.items]
    known = [share for share in shares if share is not None]
    return max(known, default=Fraction(0)) if len(known) == len(shares) else None


def _allows(limit: AuthorityLimit, quote: Quote) -> bool:
    whole = quote.whole.share(sum(line.amount for line in quote.counted))
    for line in quote.items:
        share = line.discount_from_list(whole)
        if share is None:
            if not limit.unlisted_prices:
                return False
            # There is no list price; what is taken off the price that was said is known all the same.
            share = 1 - (1 - Fraction(line.discount_rate or 0)) * (1 - whole)
        if share > Fraction(limit.max_discount_rate):
            return False
    return limit.max_net is None or (limit.currency == quote.currency and quote.net <= limit.max_net)
