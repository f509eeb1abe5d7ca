"""What one currency is worth in another, from a day on until another rate is set."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Numeric, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from accounting.days import dates, days
from accounting.invoices.copies import CompanyCopy
from accounting.models import Base
from accounting.payments.refusals import NoRate
from contracts.payments import RateSet
from tailrace.core.errors import Invalid, Stale
from tailrace.core.ids import derived_id
from tailrace.core.values.money import exponent, round_minor
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value
from tailrace.messaging.replica import by_ids

_BACK, _AHEAD = timedelta(days=3660), timedelta(days=366)


class ExchangeRate(Aggregate, Base):
    """One of a pair and a day. It may be corrected; what was converted by it stays."""

    __tablename__ = "exchange_rate"
    __table_args__ = (unique_value("currency", "against", "day"), tenant_index("day", "id"))

    currency: Mapped[str]
    against: Mapped[str]
    day: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Numeric(24, 12))

    def set(self, rate: Decimal) -> None:
        self.rate = rate
        said = {"currency": self.currency, "against": self.against, "day": self.day, "rate": rate}
        self.record(RateSet(rate_id=self.id, **said))


async def set_rate(
    tx: Tx, currency: str, against: str, day: date, rate: Decimal, match: int | None = None
) -> ExchangeRate:
    """Raises Invalid for a currency against itself, Implausible, and Stale for another version than `match`; 0 is that of what is not there."""
    if currency == against:
        raise Invalid.field("/against", "A currency is worth one of itself.")
    today = await days.today(tx)
    checked_day(day, *await dates.days(tx, "exchange_rate", today, today - _BACK, today + _AHEAD), "/day")
    id = derived_id(tx.tenant_id, "exchange_rate", currency, against, day)
    kept = await tx.get(ExchangeRate, (tx.tenant_id, id))
    if kept is None:
        if match:
            raise Stale(match, 0)
        kept = ExchangeRate(id=id, currency=currency, against=against, day=day)
        tx.add(kept)
    else:
        kept = await tx.load(ExchangeRate, id, match)
    kept.set(rate)
    return kept


async def rate_on(tx: Tx, currency: str, against: str, day: date) -> Fraction | None:
    """The newest one that has begun on the day, of the pair in either direction; None when there is none."""
    if currency == against:
        return Fraction(1)
    pair = (ExchangeRate.currency == currency) & (ExchangeRate.against == against)
    inverse = (ExchangeRate.currency == against) & (ExchangeRate.against == currency)
    newest = (
        select(ExchangeRate)
        .where(or_(pair, inverse), ExchangeRate.day <= day)
        .order_by(ExchangeRate.day.desc(), ExchangeRate.id)
        .limit(2)
    )
    found = list(await tx.scalars(newest))
    if not found:
        return None
    # Of two of one day, the one that was asked for; the other way round is a calculation.
    latest = [each for each in found if each.day == found[0].day]
    row = next((each for each in latest if each.currency == currency), latest[0])
    return Fraction(row.rate) if row.currency == currency else 1 / Fraction(row.rate)


def exactly(amount: int, rate: Fraction, currency: str, against: str) -> Fraction:
    """An amount of one currency in another, both in minor units, before it is rounded."""
    return amount * rate * Fraction(10) ** (exponent(against) - exponent(currency))


async def worth(tx: Tx, amount: int, currency: str, against: str, day: date) -> int:
    """An amount in another currency at the day's rate. Raises NoRate."""
    rate = await rate_on(tx, currency, against, day)
    if rate is None:
        raise NoRate(currency, against, day)
    return round_minor(exactly(amount, rate, currency, against))


async def company_currency(tx: Tx) -> str | None:
    """What the company keeps its books in; None while that is unknown here."""
    company = (await by_ids(tx, CompanyCopy, [tx.tenant_id])).get(tx.tenant_id)
    return None if company is None else company.currency


async def realised(tx: Tx, currency: str, before: int, amount: int, issued: date, day: date) -> tuple[str | None, int]:
    """The company's currency, and what rates that moved between two days made of an amount in another: above zero, a gain.

    `before` is how much was settled earlier: the parts of an invoice add up. Nothing where a rate is not known.
    """
    own = await company_currency(tx)
    if own is None or own == currency:
        return None, 0
    then, now = await rate_on(tx, currency, own, issued), await rate_on(tx, currency, own, day)
    if then is None or now is None:
        return None, 0
    booked = round_minor(exactly(before + amount, then, currency, own)) - round_minor(
        exactly(before, then, currency, own)
    )
    return own, round_minor(exactly(amount, now, currency, own)) - booked
