"""Inventory: what is where, what it is worth and who holds it, on `inventory.events`. Its events are its state."""

from contracts.inventory import PUBLISHED
from inventory import projections, proof, reactions, reservations, routes
from inventory.models import Base
from inventory.scopes import read, write
from tailrace.service import Exposed, Service

service = Service(
    name="inventory",
    topic="inventory.events",
    publishes=PUBLISHED,
    subscribers=[projections.days, projections.dates, projections.catalog, reactions.fulfilment],
    timers=[reservations.expiry],
    routers=[routes.router],
    exposes=[
        Exposed(prefix="/v1/inventory"),
        # A replay reads the whole history of a stock.
        Exposed(prefix="/v1/inventory/stock", read_timeout=30.0),
    ],
    scopes=[read, write],
    default_roles={
        "sales": ["inventory:read"],
        "warehouse": ["inventory:*"],
        "accountant": ["inventory:read"],
        "viewer": ["inventory:read"],
    },
    metadata=Base.metadata,
    proof=proof.proof,
)
