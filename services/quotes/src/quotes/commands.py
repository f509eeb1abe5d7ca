"""What is done with quotes: written, submitted, sent, answered, revised. What that leads to elsewhere follows from the events that this records."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from contracts.quotes import AuthorityLimit
from quotes import authority, timers
from quotes.authority import Authority
from quotes.bodies import CostsBody, QuoteBody
from quotes.buyers import buyer, on_paper
from quotes.copies import CustomerCopy, Leaver, RoleCopy, SellerCopy, UserCopy, WarehouseCopy, settings
from quotes.deals import ensure_theirs
from quotes.document import fingerprint, subject
from quotes.models import Quote
from quotes.pricing import again, ensure_offered, price_lines
from quotes.projections import dates, days
from quotes.refusals import NoLongerValid
from tailrace.core import clock
from tailrace.core.context import Principal
from tailrace.core.errors import Invalid, NotYetKnown
from tailrace.core.values.custom_fields import checked
from tailrace.core.values.plausible import checked_day
from tailrace.core.values.postal import stated_address
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers
from tailrace.messaging.handover import Owner, heir_of
from tailrace.messaging.replica import by_ids

NUMBERS = Numbers("quote", "Q-{series}-{number:05}")
_VALID_FOR = timedelta(days=30)
_LONGEST_VALID = timedelta(days=3653)
_AROUND = timedelta(days=366)


async def create(tx: Tx, who: Principal, asked: QuoteBody) -> Quote:
    """Draft a quote. Raises Invalid (422), NotYetKnown (409)."""
    terms = await _terms(tx, asked, await days.today(tx))
    rep = (await by_ids(tx, CustomerCopy, [terms["customer_id"]]))[terms["customer_id"]].sales_rep_id
    owner = await timers.handover.owner_of_new(tx, asked.owner_id, rep, who.user_id, field="/owner_id")
    terms |= {"owner_id": owner.id, "owner_name": owner.name}
    quote = Quote.drafted(await _number(tx, terms["dated"]), 1, terms)
    tx.add(quote)
    return quote


async def replace(tx: Tx, id: UUID, match: int | None, asked: QuoteBody) -> Quote:
    """Replace what is not sent; it is a draft then. Raises NotInThisState, Invalid, NotYetKnown."""
    quote = await tx.load(Quote, id, match)
    quote.after("changed")
    terms = await _terms(tx, asked, quote.dated, quote.opportunity_id)
    if asked.owner_id is not None and asked.owner_id != quote.owner_id:
        owner = await timers.handover.owner_of_new(tx, asked.owner_id, field="/owner_id")
        terms |= {"owner_id": owner.id, "owner_name": owner.name}
    quote.change(terms)
    return quote


async def delete(tx: Tx, id: UUID, match: int | None) -> None:
    """Drop a draft: it is kept, cancelled. Raises NotInThisState."""
    (await tx.load(Quote, id, match)).delete()


async def submit(tx: Tx, id: UUID, match: int | None, who: Principal) -> Quote:
    """Approve the quote at once when that is within the authority of `who`, else ask for an approval.

    Raises NotInThisState, NothingOffered, NoLongerValid, and Invalid when the customer is gone, something of it went out of use, or is taxed
    otherwise on its day by now.
    """
    quote = await tx.load(Quote, id, match)
    quote.after("submitted")
    await ensure_valid(tx, quote)
    await _ensure_offered(tx, quote, quote.dated)
    quote.customer_id = (await buyer(tx, quote.customer_id)).id
    quote.submissions += 1
    seller = await seller_name(tx)
    if authority.is_within(await authority.limits_of(tx), who, quote):
        quote.approve_at_once(fingerprint(quote, seller, quote.submissions), seller)
    else:
        quote.submit(subject(quote, seller, who), seller)
    return quote


async def recall(tx: Tx, id: UUID, match: int | None, reason: str | None) -> Quote:
    """Take back what nobody was shown. Raises NotInThisState."""
    quote = await tx.load(Quote, id, match)
    quote.recall(reason)
    return quote


async def send(tx: Tx, id: UUID, match: int | None) -> Quote:
    """Let the customer have it; it binds from here on. Raises NotInThisState, NoLongerValid, and Invalid for what went out of use."""
    quote = await tx.load(Quote, id, match)
    quote.after("sent")
    await ensure_valid(tx, quote)
    await _ensure_offered(tx, quote)
    quote.send(clock.now())
    await timers.await_expiry(tx, quote)
    return quote


async def accept(
    tx: Tx, id: UUID, match: int | None, by: str | None, reference: str | None, taken: list[UUID]
) -> Quote:
    """Note that the customer accepts; however often that is said, it counts once. Raises NotInThisState, NoLongerValid, Invalid."""
    quote = await tx.load(Quote, id, match)
    if quote.status != "accepted":
        quote.after("accepted")
        await ensure_valid(tx, quote)
        quote.accept(clock.now(), by, reference, taken)
        await timers.expiry.clear(tx, quote.id)
    return quote


async def decline(tx: Tx, id: UUID, match: int | None, reason: str) -> Quote:
    """Note that the customer does not want it, once. Raises NotInThisState."""
    quote = await tx.load(Quote, id, match)
    if quote.status != "declined":
        quote.decline(reason)
        await timers.expiry.clear(tx, quote.id)
    return quote


async def cancel(tx: Tx, id: UUID, match: int | None, reason: str) -> Quote:
    """Offer it no more. Raises NotInThisState."""
    quote = await tx.load(Quote, id, match)
    quote.cancel(reason)
    await timers.expiry.clear(tx, quote.id)
    return quote


async def revise(tx: Tx, id: UUID, match: int | None, who: Principal) -> Quote:
    """Put a draft of the next revision in a quote's place: the same prices, dated today, with the taxes of today.

    Raises NotInThisState, and Invalid for what went out of use.
    """
    old = await tx.load(Quote, id, match)
    old.after("revised")
    today = await days.today(tx)
    kept = {
        name: getattr(old, name)
        for name in (
            *(
                "customer",
                "opportunity_id",
                "currency",
                "price_list_id",
                "warehouse_id",
                "ship_to",
                "customer_reference",
            ),
            *("payment_terms_days", "terms", "notes", "confirm_order", "discount_rate", "discount_amount"),
            "custom_fields",
        )
    }
    customer = await buyer(tx, old.customer_id)
    fresh = {"customer_id": customer.id, "dated": today, "valid_until": today + _VALID_FOR}
    terms = {**kept, **fresh, "lines": await again(tx, old.lines, today)}
    owner = Owner(old.owner_id, old.owner_name)
    if old.owner_id is None or await heir_of(tx, Leaver, old.owner_id) != old.owner_id:
        owner = await timers.handover.owner_of_new(tx, None, customer.sales_rep_id, who.user_id, field="/owner_id")
    terms |= {"owner_id": owner.id, "owner_name": owner.name}
    new = Quote.drafted(old.number, old.revision + 1, terms)
    old.supersede(new)
    await timers.expiry.clear(tx, old.id)
    tx.add(new)
    return new


async def set_costs(tx: Tx, id: UUID, match: int | None, asked: CostsBody) -> Quote:
    """Say what lines cost. Raises Invalid for a line that is no item of the quote."""
    quote = await tx.load(Quote, id, match)
    items = {line.id for line in quote.items}
    for at, line in enumerate(asked.lines):
        if line.line_id not in items:
            raise Invalid.field(f"/lines/{at}/line_id", "There is no such item in this quote.")
    quote.set_costs({line.line_id: line.unit_cost for line in asked.lines})
    return quote


async def set_authority(tx: Tx, limits: list[AuthorityLimit]) -> Authority:
    """Replace all limits. Raises Invalid for two of one role or user, and for a role or user that there is none of; NotYetKnown."""
    keys = [(each.role, each.user_id) for each in limits]
    for at, key in enumerate(keys):
        if key in keys[:at]:
            raise Invalid.field(f"/limits/{at}", "There is a limit of this one already.")
    await _ensure_known(tx, limits)
    id = authority.id_of(tx.tenant_id)
    kept = await tx.get(Authority, (tx.tenant_id, id))
    if kept is None:
        kept = Authority(id=id)
        tx.add(kept)
    else:
        kept = await tx.load(Authority, id)
    kept.limit(limits)
    return kept


async def _ensure_known(tx: Tx, limits: Sequence[AuthorityLimit]) -> None:
    """Raises NotYetKnown, and Invalid for a limit of a role or a user that there is none of."""
    roles = {each.role for each in limits if each.role is not None}
    live = select(RoleCopy.name).where(RoleCopy.name.in_(roles), func.jsonb_array_length(RoleCopy.scopes) > 0)
    there = set(await tx.scalars(live)) if roles else set()
    users = await by_ids(tx, UserCopy, {each.user_id for each in limits if each.user_id is not None})
    for at, each in enumerate(limits):
        if each.role is not None and each.role not in there:
            raise Invalid.field(f"/limits/{at}/role", f"There is no role {each.role} here.")
        if each.user_id is not None:
            users.known(each.user_id, f"/limits/{at}/user_id")


async def ensure_valid(tx: Tx, quote: Quote) -> None:
    """Raises NoLongerValid when the last day of a quote is over."""
    if await days.today(tx) > quote.valid_until:
        raise NoLongerValid(quote.name, quote.valid_until)


async def seller_of(tx: Tx, quote: Quote) -> str:
    """What a quote says the company is called: as it was submitted, and of a draft, as of today. Raises NotYetKnown."""
    return quote.seller_name or await seller_name(tx)


async def seller_name(tx: Tx) -> str:
    """What the company calls itself today. Raises NotYetKnown while that is on its way here."""
    seller = (await by_ids(tx, SellerCopy, [tx.tenant_id])).get(tx.tenant_id)
    if seller is None:
        raise NotYetKnown("Authorization", "The name of this tenant is still on its way here.")
    return seller.name


async def _ensure_offered(tx: Tx, quote: Quote, on: date | None = None) -> None:
    """Raises Invalid for a warehouse or an item that is out of use, and for a line that is taxed otherwise on the day `on`, where one is said."""
    (await by_ids(tx, WarehouseCopy, [quote.warehouse_id])).in_use(quote.warehouse_id, "/warehouse_id")
    await ensure_offered(tx, quote.lines, on)


async def _terms(tx: Tx, asked: QuoteBody, default_day: date, opportunity_before: UUID | None = None) -> dict[str, Any]:
    """The quote's columns as its author gave them, completed by what is agreed with the customer."""
    customer = await buyer(tx, asked.customer_id)
    await ensure_theirs(tx, asked.opportunity_id, customer.id, opportunity_before)
    today = await days.today(tx)
    dated = asked.dated or default_day
    first, last = await dates.days(tx, "quote", today, today - _AROUND, today + _AROUND)
    checked_day(dated, min(default_day, first), last, "/dated")
    valid_until = asked.valid_until or dated + _VALID_FOR
    _, last = await dates.days(tx, "valid_until", dated, dated, dated + _LONGEST_VALID)
    checked_day(valid_until, dated, last, "/valid_until")
    (await by_ids(tx, WarehouseCopy, [asked.warehouse_id])).in_use(asked.warehouse_id, "/warehouse_id")
    currency = asked.currency or customer.currency
    price_list_id = asked.price_list_id or _list_of(customer, currency)
    said = asked.model_dump(
        include={"customer_reference", "opportunity_id", "warehouse_id", "terms", "notes", "confirm_order"}
        | {"discount_rate", "discount_amount"}
    )
    days_to_pay = asked.payment_terms_days
    return {
        **said,
        "customer_id": customer.id,
        "customer": on_paper(customer, asked.contact_id),
        "dated": dated,
        "valid_until": valid_until,
        "currency": currency,
        "price_list_id": price_list_id,
        "ship_to": asked.ship_to.model_dump(mode="json")
        if asked.ship_to is not None
        else stated_address(customer.addresses, "shipping"),
        "payment_terms_days": customer.payment_terms_days if days_to_pay is None else days_to_pay,
        "custom_fields": checked(asked.custom_fields, (await settings.effective(tx)).fields.get("quote", [])),
        "lines": await price_lines(tx, asked.lines, currency, price_list_id, dated),
    }


def _list_of(customer: CustomerCopy, currency: str) -> UUID | None:
    """The customer's price list, where the quote is in the currency that was agreed with them."""
    return customer.price_list_id if currency == customer.currency else None


async def _number(tx: Tx, day: date) -> str:
    """The next one in the company's form. One that was counted in another form before is passed over."""

    async def taken(written: Collection[str]) -> Collection[str]:
        with tx.seeing_all():
            return list(await tx.scalars(select(Quote.number).where(Quote.number.in_(written))))

    numbers = NUMBERS.written_as((await settings.effective(tx)).numbering.get("quote"))
    return await numbers.next_free(tx, str(day.year), taken)
