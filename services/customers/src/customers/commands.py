"""What is done with customers: numbered, assigned, merged, handed over when somebody leaves."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import undefer

from customers.attachments import papers
from customers.bodies import ConsentBody, ProfileBody
from customers.models import Customer, Leaver, PriceListCopy, UserCopy
from customers.projections import dates, days
from tailrace.core.errors import Unknown
from tailrace.core.values.plausible import Bounds, checked_day
from tailrace.db import master_data
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers
from tailrace.db.text_search.matching import because
from tailrace.db.text_search.search import sharing
from tailrace.db.visibility import owner_of_new
from tailrace.messaging.handover import Handover, Owner, Share
from tailrace.messaging.replica import by_ids

NUMBERS = Numbers("customer", "C-{number:06d}")
MOST_DUPLICATES = 50
GIVEN = Bounds.of_years(100)
_LONG_AGO, _A_DAY, _LONGEST_UNTIL_REVIEW = timedelta(days=36525), timedelta(days=1), timedelta(days=3653)


async def create(tx: Tx, values: Mapping[str, Any], sales_rep_id: UUID | None = None) -> Customer:
    """Looked after by whom it says, else by the caller where they see but some. Raises CodeTaken, and what is said of a price list or a user that is
    not there."""
    await _check(tx, values)
    sales_rep_id = sales_rep_id or owner_of_new(tx, tx.context.user_id)
    if sales_rep_id is not None:
        (await handover.hold(tx, sales_rep_id)).in_use(sales_rep_id, "/sales_rep_id")
    given = {"sales_rep_id": sales_rep_id, "credit_limit": None, "profile": None, **values}
    if given["number"] is None:
        given["number"] = await next_number(tx)
    return await master_data.create(tx, Customer, given)


async def replace(tx: Tx, id: UUID, match: int | None, values: Mapping[str, Any]) -> Customer:
    """Raises what `master_data.replace` raises, and what is said of a price list that is not there."""
    customer = await tx.load(Customer, id, match)
    if values["price_list_id"] != customer.price_list_id:
        await _check(tx, values)
    return await master_data.replace(tx, Customer, id, match, {**values, "number": values["number"] or customer.number})


async def delete(tx: Tx, id: UUID, match: int | None) -> None:
    """Raises InUse while others stand for it."""
    await master_data.delete(tx, Customer, id, match)


async def assign(tx: Tx, id: UUID, match: int | None, sales_rep_id: UUID | None, reason: str | None) -> Customer:
    """Raises what is said of a user that is not there, or is gone."""
    customer = await tx.load(Customer, id, match)
    if sales_rep_id is not None:
        (await handover.hold(tx, sales_rep_id)).in_use(sales_rep_id, "/sales_rep_id")
    customer.assign_to(sales_rep_id, reason)
    return customer


async def set_profile(tx: Tx, id: UUID, match: int | None, said: ProfileBody) -> Customer:
    """Raises Implausible for days that nobody can mean: it was asked by today, and is to be asked again before long."""
    customer = await tx.load(Customer, id, match)
    today = await days.today(tx)
    first, last = await dates.days(tx, "review", today, today - _LONG_AGO, today + _LONGEST_UNTIL_REVIEW)
    checked_day(said.reviewed_on, first, today + _A_DAY, "/reviewed_on")
    checked_day(said.review_due_on, said.reviewed_on, last, "/review_due_on")
    customer.set_profile({**said.model_dump(), "currency": customer.currency})
    return customer


async def consent(tx: Tx, id: UUID, match: int | None, said: ConsentBody) -> Customer:
    """Raises Implausible for a consent that is still to be given."""
    customer = await tx.load(Customer, id, match)
    await note_consent(tx, customer, said)
    return customer


async def note_consent(tx: Tx, customer: Customer, said: ConsentBody, within: str = "") -> None:
    """Raises Implausible, with the field `within` that the consent stands in, for one that is still to be given."""
    given_at = await dates.moment(tx, "consent", GIVEN, said.given_at, f"{within}/given_at")
    customer.consent(said.purpose, granted=said.granted, given_at=given_at, source=said.source)


async def require_user(tx: Tx, id: UUID) -> None:
    """Raises Unknown."""
    if not await by_ids(tx, UserCopy, [id]):
        raise Unknown("User", id)


async def merge(tx: Tx, id: UUID, match: int | None, into_id: UUID, reason: str) -> Customer:
    """Make one stand for another. Locks in the order of ids. Raises Unknown, Invalid, WasMerged."""
    for one in sorted({id, into_id}):
        await tx.load(Customer, one)
    customer = await tx.load(Customer, id, match)
    customer.merge_into(await tx.load(Customer, into_id), reason)
    await papers.take_over(tx, id, into_id)
    return customer


async def unmerge(tx: Tx, id: UUID, match: int | None, reason: str) -> Customer:
    """Let it be one of its own again, with the papers that it had. Raises Unknown, NotMerged."""
    customer = await tx.load(Customer, id, match)
    holder_id = customer.merged_into_id
    customer.unmerge(reason)
    if holder_id is not None:
        await papers.give_back(tx, await _last_of(tx, holder_id), id)
    return customer


async def duplicates(tx: Tx, id: UUID) -> list[dict[str, Any]]:
    """The customers that share something telling with this one, those that share most first."""
    query = select(Customer).options(undefer(Customer.match_keys))
    customer = (await tx.scalars(query.where(Customer.id == (await tx.find(Customer, id)).id))).one()
    others = await tx.scalars(
        query.where(
            sharing(Customer, tx.tenant_id, "match", customer.match_keys),
            Customer.id != id,
            Customer.deleted_at.is_(None),
            Customer.merged_into_id.is_(None),
        )
        .order_by(Customer.id)
        .limit(MOST_DUPLICATES)
    )
    found = [{"customer": other, "shared": because(customer.match_keys, other.match_keys)} for other in others]
    return sorted(found, key=lambda each: -len(each["shared"]))


async def standing_with(tx: Tx, id: UUID) -> list[UUID]:
    """The customer, and those that it stands for, through others too. Raises Unknown."""
    found = [(await tx.find(Customer, id)).id]
    merged = select(Customer.id).order_by(Customer.id)
    with tx.seeing_all():
        for each in found:
            found += list(await tx.scalars(merged.where(Customer.merged_into_id == each)))
    return found


def _looked_after_by(user_id: UUID) -> Select[UUID]:
    theirs = select(Customer.id).where(Customer.sales_rep_id == user_id, Customer.deleted_at.is_(None))
    return theirs.order_by(Customer.id)


async def _give(tx: Tx, id: UUID, to: Owner) -> None:
    customer = await tx.load(Customer, id)
    if to.id is None:
        customer.leave_unassigned("The user was deleted, and nobody takes over.")
    else:
        customer.hand_over(to.id, "The user was deleted.")


handover = Handover("customers.handover", Leaver, UserCopy, Share(_looked_after_by, _give))


async def present(tx: Tx, user_id: UUID) -> UUID | None:
    """The user, held until this is committed; None for one who is not there, or not heard of."""
    known = await handover.hold(tx, user_id)
    return user_id if user_id in known and known[user_id].active else None


async def _last_of(tx: Tx, id: UUID) -> UUID:
    """Whom a customer stands for in the end, held with all between, so that nobody is merged meanwhile."""
    while (into_id := (await tx.load(Customer, id, even_deleted=True)).merged_into_id) is not None:
        id = into_id
    return id


async def _check(tx: Tx, values: Mapping[str, Any]) -> None:
    price_list_id = values["price_list_id"]
    if price_list_id is not None:
        (await by_ids(tx, PriceListCopy, [price_list_id])).in_use(price_list_id, "/price_list_id")


async def next_number(tx: Tx) -> str:
    """The next one that nobody has taken by hand."""
    while True:
        number = await NUMBERS.next(tx)
        taken = select(Customer.id).where(Customer.code_key == Customer.key_of(number), Customer.deleted_at.is_(None))
        with tx.seeing_all():
            free = await tx.scalar(taken) is None
        if free:
            return number
