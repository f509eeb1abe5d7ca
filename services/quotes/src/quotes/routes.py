"""Quotes over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import raiseload

from quotes import authority, commands, mailing, timers
from quotes.bodies import AcceptanceBody, AuthorityBody, CostsBody, MailBody, QuoteBody, RecallBody, SendBody
from quotes.copies import settings
from quotes.document import document
from quotes.links import PUBLIC, Link, Links
from quotes.models import Quote, Status
from quotes.papers import paper
from quotes.projections import (
    catalog,
    costs,
    customers,
    dates,
    days,
    opportunities,
    roles,
    sellers,
    teams,
    templates,
    users,
)
from quotes.reactions import answers, orders
from quotes.scopes import AuthorityKeeper, MarginReader, Reader, Writer
from quotes.views import AuthorityView, LinkView, MarginView, QuoteSummary, QuoteView
from tailrace.http.etag import IfMatch
from tailrace.http.files.paper import Paper
from tailrace.http.lists.filters import any_of, between, by_id, equal, numbered
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/quotes",
    tag="quotes",
    about="What was offered to whom, at what price, until when, and how that ended.",
    reads=[
        catalog,
        customers,
        opportunities,
        days,
        dates,
        sellers,
        users,
        roles,
        teams,
        templates,
        costs,
        answers,
        orders,
    ],
)

_FILTERS = (
    any_of(Quote.status, Status),
    equal(Quote.customer_id),
    equal(Quote.owner_id),
    equal(Quote.opportunity_id),
    *between(Quote.dated),
    *between(Quote.valid_until),
)
_SORT = [Quote.number, Quote.dated, Quote.valid_until]
Quotes = Annotated[PageRequest, listed(Quote, by_id(Quote), numbered(Quote.number), *_FILTERS, sort=_SORT)]
Revisions = Annotated[PageRequest, listed(Quote, any_of(Quote.status, Status), sort=[Quote.revision])]


@router.post("", status_code=201, response_model=QuoteView)
async def create_quote(tx: Tx, who: Writer, body: QuoteBody) -> Quote:
    """Draft a quote, priced and taxed as of its day."""
    return await commands.create(tx, who, body)


@router.get("", response_model=Page[QuoteSummary])
async def list_quotes(tx: Tx, who: Reader, page: Quotes) -> Listing[Quote]:
    """Quotes without their lines, each revision by itself; by `id` they come in order of creation."""
    return await paginate(tx, select(Quote).options(raiseload(Quote.lines)), page)


@router.get("/authority")
async def read_authority(tx: Tx, who: Reader) -> AuthorityView:
    """Who may quote how much without approval."""
    return AuthorityView(limits=await authority.limits_of(tx))


@router.put("/authority")
async def replace_authority(tx: Tx, who: AuthorityKeeper, body: AuthorityBody) -> AuthorityView:
    """Say who may quote how much without approval. It counts from the next submission on."""
    await commands.set_authority(tx, list(body.limits))
    return AuthorityView(limits=body.limits)


@router.get("/{quote_id}", response_model=QuoteView)
async def read_quote(tx: Tx, who: Reader, quote_id: UUID) -> Quote:
    """One revision of a quote, with its lines."""
    return await tx.find(Quote, quote_id)


@router.put("/{quote_id}", response_model=QuoteView)
async def replace_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: QuoteBody) -> Quote:
    """Replace what is not sent yet, lines and all. An approval that it has, or waits for, counts no more."""
    return await commands.replace(tx, quote_id, match, body)


@router.delete("/{quote_id}", status_code=204)
async def delete_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID) -> None:
    """Drop a draft. It stays readable, as cancelled."""
    await commands.delete(tx, quote_id, match)


@router.post("/{quote_id}/submit", response_model=QuoteView)
async def submit_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID) -> Quote:
    """Have a draft approved: at once when the caller has authority for it, else by others; it is `in_approval` until they decide."""
    return await commands.submit(tx, quote_id, match, who)


@router.post("/{quote_id}/recall", response_model=QuoteView)
async def recall_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: RecallBody | None = None) -> Quote:
    """Take a quote back before it is sent: it is a draft again."""
    return await commands.recall(tx, quote_id, match, None if body is None else body.reason)


@router.post("/{quote_id}/send", response_model=QuoteView)
async def send_quote(
    request: Request, tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: SendBody | None = None
) -> Quote:
    """Offer what was approved. From here on the quote binds, and its link is good. It goes to the customer by mail where that is said; else pass the
    link on yourself."""
    quote = await commands.send(tx, quote_id, match)
    if body is not None and (body.by_mail or body.mail_to is not None):
        await mailing.mail(tx, quote, body.mail_to, request.app.state.settings)
    return quote


@router.post("/{quote_id}/mail", response_model=QuoteView)
async def mail_quote(
    request: Request, tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: MailBody | None = None
) -> Quote:
    """Mail a quote that was sent, for the first time or again. A mail that still waits is given up for it, unless it is just being handed in."""
    quote = await tx.load(Quote, quote_id, match)
    await mailing.mail(tx, quote, None if body is None else body.mail_to, request.app.state.settings)
    return quote


@router.get("/{quote_id}/link")
async def read_link(request: Request, tx: Tx, who: Writer, quote_id: UUID) -> LinkView:
    """The secret link of a quote that was sent, to be passed on to the customer alone."""
    quote = await tx.find(Quote, quote_id)
    if quote.status != "accepted":
        quote.after("accepted")
    ends_at = await timers.ends_at(tx, quote)
    token = Links(request.app.state.settings).token(Link(tx.tenant_id, quote.id), ends_at)
    return LinkView(path=f"{PUBLIC}/{token}", ends_at=ends_at)


@router.get("/{quote_id}/document", response_class=Paper, response_model=None)
async def read_document(tx: Tx, who: Reader, quote_id: UUID) -> Paper:
    """The quote as a document (PDF/A), in the customer's language."""
    quote = await tx.find(Quote, quote_id)
    return paper(document(quote, await commands.seller_of(tx, quote)), (await settings.effective(tx)).layout)


@router.post("/{quote_id}/accept", response_model=QuoteView)
async def accept_quote(
    tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: AcceptanceBody | None = None
) -> Quote:
    """Note that the customer accepted. Said again, it has no further effect."""
    said = body or AcceptanceBody()
    return await commands.accept(tx, quote_id, match, said.accepted_by, said.customer_reference, said.taken)


@router.post("/{quote_id}/decline", response_model=QuoteView)
async def decline_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: ReasonBody) -> Quote:
    """Note that the customer does not want it."""
    return await commands.decline(tx, quote_id, match, body.reason)


@router.post("/{quote_id}/cancel", response_model=QuoteView)
async def cancel_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID, body: ReasonBody) -> Quote:
    """Offer it no more; a link to it ends."""
    return await commands.cancel(tx, quote_id, match, body.reason)


@router.post("/{quote_id}/revise", status_code=201, response_model=QuoteView)
async def revise_quote(tx: Tx, who: Writer, match: IfMatch, quote_id: UUID) -> Quote:
    """Draft the next revision, dated today, with the same prices. This one is superseded, and stays readable; a link to it ends."""
    return await commands.revise(tx, quote_id, match, who)


@router.get("/{quote_id}/versions", response_model=Page[QuoteSummary])
async def list_versions(tx: Tx, who: Reader, quote_id: UUID, page: Revisions) -> Listing[Quote]:
    """All revisions of the quote that this is one of."""
    quote = await tx.find(Quote, quote_id)
    return await paginate(tx, select(Quote).where(Quote.number == quote.number).options(raiseload(Quote.lines)), page)


@router.get("/{quote_id}/margin")
async def read_margin(tx: Tx, who: MarginReader, quote_id: UUID) -> MarginView:
    """What the quote earns, by what its items cost when it was made, or as somebody said since."""
    return MarginView.of(await tx.find(Quote, quote_id))


@router.put("/{quote_id}/costs")
async def replace_costs(tx: Tx, who: MarginReader, match: IfMatch, quote_id: UUID, body: CostsBody) -> MarginView:
    """Say what lines cost, in place of what is known."""
    return MarginView.of(await commands.set_costs(tx, quote_id, match, body))
