"""A projection of the catalog's items, and a card of welcome for each new tenant."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from contracts.catalog import ItemCreated, ItemDeleted, ItemUpdated
from contracts.users import TEAM, TenantCreated
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Projection, Reaction
from tailrace.messaging.teams import Teams
from toyshop.models import Base, Card, Product

products = Projection("toyshop.products")
teams = Teams("toyshop.teams", Base.metadata, TEAM)


@products.on(ItemCreated, ItemUpdated)
async def told(tx: Tx, event: ItemCreated | ItemUpdated, meta: Meta) -> None:
    row = insert(Product).values(tenant_id=tx.tenant_id, id=event.item_id, name=event.name, heard=1)
    again = {"name": event.name, "heard": Product.heard + 1}
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=again))


@products.on(ItemDeleted)
async def gone(tx: Tx, event: ItemDeleted, meta: Meta) -> None:
    await tx.execute(delete(Product).where(Product.id == event.item_id))


welcome = Reaction("toyshop.welcome")


@welcome.on(TenantCreated)
async def greet(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    tx.add(Card.issue(tx.tenant_id, "WELCOME" + str(meta.event_id), "nobody@toyshop.example", "welcome", []))
