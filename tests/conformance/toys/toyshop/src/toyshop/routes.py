"""Cards, points and products over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import StringConstraints
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.context import Principal
from tailrace.core.errors import Unknown
from tailrace.core.ids import uuid7
from tailrace.core.personal_data import Personal
from tailrace.http.auth import Requires
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.routing import Body, Tx, View, tenant_router
from tailrace.observability.logs import log
from toyshop import events
from toyshop.models import Account, Card, CardHome, Points, Product
from toyshop.subscribers import products

Reader = Annotated[Principal, Requires("toyshop:read")]
Writer = Annotated[Principal, Requires("toyshop:write")]
Anybody = Annotated[Principal, Requires()]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]

terms = APIRouter(tags=["terms"])
cards = tenant_router("/v1/cards", tag="cards")
points = tenant_router("/v1/points", tag="points")
shelf = tenant_router("/v1/products", tag="products", reads=[products])


class StampBody(Body):
    text: Text


class NewCard(Body):
    number: Text
    email: Personal[Text]
    label: Text
    stamps: list[StampBody] = []


class Label(Body):
    label: Text


class Gift(Body):
    by: int


class CardView(View):
    id: UUID
    version: int
    number: str
    email: Personal[str]
    label: str
    closed: bool


class StampsView(View):
    texts: list[str]


class Mine(View):
    user_id: UUID


class AccountView(View):
    id: UUID
    total: int
    version: int


class ProductView(View):
    id: UUID
    name: str
    heard: int


@terms.get("/v1/card-terms")
async def card_terms() -> dict[str, str]:
    return {"terms": "A card is for one person."}


@cards.post("", status_code=201, response_model=CardView)
async def issue(tx: Tx, who: Writer, body: NewCard) -> Card:
    card = Card.issue(body.number, body.email, body.label, [stamp.text for stamp in body.stamps])
    tx.add(card)
    await tx.flush()
    home = insert(CardHome).values(code=body.number, tenant_id=tx.tenant_id)
    await tx.execute(home.on_conflict_do_nothing())
    log.info("card issued", card=str(card.id))
    return card


@cards.get("", response_model=Page[CardView])
async def listing(tx: Tx, who: Reader, page: Paging) -> Listing[Card]:
    sortable: dict[str, Any] = {"number": Card.number}
    return await paginate(tx, select(Card), page, key=Card.id, sortable=sortable)


@cards.get("/mine", response_model=Mine, openapi_extra={"x-policy": "own"})
async def mine(tx: Tx, who: Anybody) -> Mine:
    return Mine(user_id=who.user_id)


@cards.get("/{card_id}", response_model=CardView)
async def read(tx: Tx, who: Reader, card_id: UUID) -> Card:
    return await tx.find(Card, card_id)


@cards.get("/{card_id}/stamps", response_model=StampsView)
async def stamps(tx: Tx, who: Reader, card_id: UUID) -> StampsView:
    card = await tx.find(Card, card_id)
    return StampsView(texts=[stamp.text for stamp in card.stamps])


@cards.put("/{card_id}", response_model=CardView)
async def relabel(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:
    card = await tx.load(Card, card_id, match)
    card.relabel(body.label)
    return card


@cards.post("/{card_id}/close", response_model=CardView)
async def close(tx: Tx, who: Writer, match: IfMatch, card_id: UUID) -> Card:
    card = await tx.load(Card, card_id, match)
    card.close()
    return card


@points.post("", status_code=201, response_model=AccountView)
async def give(tx: Tx, who: Writer, body: Gift) -> Account:
    stream = tx.new_stream(Points, uuid7())
    stream.record(events.PointsGiven(by=body.by))
    account = Account(id=stream.id, total=stream.state.total, version=stream.version)
    tx.add(account)
    return account


@points.get("/{points_id}", response_model=AccountView)
async def balance(tx: Tx, who: Reader, points_id: UUID) -> Account:
    found = await tx.get(Account, (tx.tenant_id, points_id))
    if found is None:
        raise Unknown("Account", points_id)
    return found


@shelf.get("", response_model=Page[ProductView])
async def on_the_shelf(tx: Tx, who: Reader, page: Paging) -> Listing[Product]:
    return await paginate(tx, select(Product), page, key=Product.id)
