"""Cards, points and products over HTTP."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.context import Principal
from tailrace.core.errors import Unknown
from tailrace.core.ids import uuid7
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Moment, Text
from tailrace.http.auth import Requires, Scope, scopes
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.masks import masked
from tailrace.http.protocol.strict import public_router
from tailrace.http.routing import Body, Tx, View, tenant_router
from tailrace.observability.logs import log
from tailrace.transfer.bulk import bulk_router
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable
from toyshop import events
from toyshop.models import Account, Card, CardHome, Points, Product
from toyshop.subscribers import products

read, write = scopes("toyshop", read="See cards and products", write="Issue, label and close cards", by_owner=True)
pii = Scope("toyshop:pii", "See where holders of cards are written to")
Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Anybody = Annotated[Principal, Requires()]
Cards = Annotated[
    PageRequest,
    listed(Card, equal(Card.email), sort=[Card.number, Card.email], masks={"email": pii}),
]
Products = Annotated[PageRequest, listed(Product)]

terms = public_router(tag="terms", about="What holds for everybody.")
cards = tenant_router("/v1/cards", tag="cards", about="Who collects points.")
points = tenant_router("/v1/points", tag="points", about="What was given.")
shelf = tenant_router("/v1/products", tag="products", about="What points buy.", reads=[products])


class StampBody(Body):
    text: Text


class NewCard(Body):
    number: Text
    email: Personal[Text]
    label: Text
    stamps: list[StampBody] = []
    """What it begins with."""


class Label(Body):
    """Words of the business, which bodies elsewhere must not slip in, are its own here."""

    label: Text
    role: Text = "holder"
    version: Text | None = None
    created_at: Moment | None = None


class Gift(Body):
    by: int
    """How many points."""
    card_id: UUID | None = None
    """The card that they are for; null for nobody's."""


class CardView(View):
    id: UUID
    """Made when it is issued."""
    version: int
    """Also its `ETag`."""
    number: str
    """What is printed on it."""
    email: Annotated[Personal[str], masked(pii)]
    """Where its holder is written to."""
    label: str
    """What its holder calls it."""
    closed: bool
    """Whether it takes no more points."""


class StampsView(View):
    texts: list[str]
    """What was stamped, in order."""


class Mine(View):
    user_id: UUID
    """Who asks."""


class AccountView(View):
    id: UUID
    """Made with the first points."""
    total: int
    """How many points there are."""
    version: int
    """Also its `ETag`."""


class ProductView(View):
    id: UUID
    """As it was told."""
    name: str
    """What it is called."""
    heard: int
    """How often it was told of."""


async def issue(tx: Tx, body: NewCard) -> Card:
    assert tx.context.user_id is not None
    card = Card.issue(tx.context.user_id, body.number, body.email, body.label, [stamp.text for stamp in body.stamps])
    tx.add(card)
    home = insert(CardHome).values(code=body.number, tenant_id=tx.tenant_id)
    await tx.execute(home.on_conflict_do_nothing())
    log.info("card issued", card=str(card.id))
    return card


issued = Importable(
    service="toyshop",
    name="cards",
    body=NewCard,
    columns=[column("number"), column("email"), column("label")],
    create=issue,
)
many = bulk_router(issued, "/v1/cards", Writer, CardView)


@terms.get("/v1/card-terms")
async def read_terms() -> dict[str, str]:
    return {"terms": "A card is for one person."}


@cards.post("", status_code=201, response_model=CardView)
async def create_card(tx: Tx, who: Writer, body: NewCard) -> Card:
    return await issue(tx, body)


@cards.get("", response_model=Page[CardView])
async def list_cards(tx: Tx, who: Reader, page: Cards) -> Listing[Card]:
    return await paginate(tx, select(Card), page)


@cards.get("/mine", response_model=Mine, openapi_extra={"x-policy": "own"})
async def read_mine(tx: Tx, who: Anybody) -> Mine:
    return Mine(user_id=who.user_id)


@cards.get("/{card_id}", response_model=CardView)
async def read_card(tx: Tx, who: Reader, card_id: UUID) -> Card:
    return await tx.find(Card, card_id)


@cards.get("/{card_id}/stamps", response_model=StampsView)
async def read_stamps(tx: Tx, who: Reader, card_id: UUID) -> StampsView:
    card = await tx.find(Card, card_id)
    return StampsView(texts=[stamp.text for stamp in card.stamps])


@cards.put("/{card_id}", response_model=CardView)
async def replace_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:
    card = await tx.load(Card, card_id, match)
    card.relabel(body.label)
    return card


@cards.post("/{card_id}/close", response_model=CardView)
async def close_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID) -> Card:
    card = await tx.load(Card, card_id, match)
    card.close()
    return card


@points.post("", status_code=201, response_model=AccountView)
async def create_points(tx: Tx, who: Writer, body: Gift) -> Account:
    if body.card_id is not None:
        await tx.find(Card, body.card_id)
    stream = tx.new_stream(Points, uuid7())
    stream.record(events.PointsGiven(by=body.by))
    account = Account(id=stream.id, total=stream.state.total, version=stream.version)
    tx.add(account)
    return account


@points.get("/{points_id}", response_model=AccountView)
async def read_points(tx: Tx, who: Reader, points_id: UUID) -> Account:
    found = await tx.get(Account, (tx.tenant_id, points_id))
    if found is None:
        raise Unknown("Account", points_id)
    return found


@shelf.get("", response_model=Page[ProductView])
async def list_products(tx: Tx, who: Reader, page: Products) -> Listing[Product]:
    return await paginate(tx, select(Product), page)
