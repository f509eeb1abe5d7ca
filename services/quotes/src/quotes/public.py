"""What the holder of a quote's link sees and may answer, without a log-in. The link says whose quote it is; each transaction acts for that tenant.

Nothing is stored under an Idempotency-Key: an answer counts once however often it comes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request, Response

from quotes import commands
from quotes.bodies import OfferAcceptance
from quotes.copies import settings
from quotes.document import document
from quotes.links import PUBLIC, Link, Links
from quotes.models import Quote
from quotes.papers import paper
from quotes.refusals import LinkEnded
from quotes.views import DeclinedView, OfferView
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx
from tailrace.http.files.paper import Paper
from tailrace.http.protocol.strict import declared, public_router
from tailrace.http.public import acting_for
from tailrace.http.routing import ReasonBody

router: APIRouter = public_router(
    tag="offers", about="Quotes as the customer sees them, by a link that was sent to them."
)

_REFUSED = declared(404, 410)
_ANSWERED = declared(404, 409, 410)


@router.get(f"{PUBLIC}/{{token}}", responses=_REFUSED)
async def read_offer(request: Request, response: Response, token: str) -> OfferView:
    """What is offered. 410 once it is not offered any more."""
    _keep_private(response)
    async with _transaction(request, link := _link(request, token), read_only=True) as tx:
        return await _view(tx, _offered(await tx.find(Quote, link.quote_id)))


@router.get(f"{PUBLIC}/{{token}}/document", response_class=Paper, response_model=None, responses=_REFUSED)
async def read_offer_document(request: Request, token: str) -> Paper:
    """What is offered, as a document (PDF/A)."""
    async with _transaction(request, link := _link(request, token), read_only=True) as tx:
        quote = _offered(await tx.find(Quote, link.quote_id))
        said = document(quote, await commands.seller_of(tx, quote))
        layout = (await settings.effective(tx)).layout
    made = await paper(said, layout).made(link.quote_id)
    _keep_private(made)
    return made


@router.post(f"{PUBLIC}/{{token}}/accept", responses=_ANSWERED)
async def accept_offer(request: Request, response: Response, token: str, body: OfferAcceptance) -> OfferView:
    """Accept it, with the optional and alternative lines that are named. Sent again, it has no further effect."""
    _keep_private(response)
    async with _transaction(request, link := _link(request, token)) as tx:
        _offered(await tx.load(Quote, link.quote_id))
        quote = await commands.accept(tx, link.quote_id, None, body.name, body.customer_reference, body.taken)
        await tx.settle()
        return await _view(tx, quote)


@router.post(f"{PUBLIC}/{{token}}/decline", responses=_ANSWERED)
async def decline_offer(request: Request, response: Response, token: str, body: ReasonBody) -> DeclinedView:
    """Decline it. The link leads nowhere from then on, but to this."""
    _keep_private(response)
    async with _transaction(request, link := _link(request, token)) as tx:
        quote = await tx.load(Quote, link.quote_id)
        if quote.status != "declined":
            _offered(quote)
        return DeclinedView.model_validate(await commands.decline(tx, link.quote_id, None, body.reason))


def _link(request: Request, token: str) -> Link:
    return Links(request.app.state.settings).read(token)


def _offered(quote: Quote) -> Quote:
    """The quote, which is still offered or was accepted. Raises LinkEnded."""
    if quote.status not in ("sent", "accepted"):
        raise LinkEnded(f"Quote {quote.name} is {quote.status.replace('_', ' ')}.")
    return quote


async def _view(tx: Tx, quote: Quote) -> OfferView:
    return OfferView.model_validate(
        {
            **{name: getattr(quote, name) for name in OfferView.model_fields if name != "seller"},
            "seller": await commands.seller_of(tx, quote),
        },
        from_attributes=True,
    )


@asynccontextmanager
async def _transaction(request: Request, link: Link, *, read_only: bool = False) -> AsyncIterator[Tx]:
    try:
        async with acting_for(request, link.tenant_id, f"link:{link.quote_id}", read_only=read_only) as tx:
            yield tx
    except Unknown as error:
        raise Unknown("offer", "of this link") from error


def _keep_private(response: Response) -> None:
    """The address is a secret: no cache keeps what it shows, and nobody whom a page leads to is told of it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
