"""Shipping: shipments, packages and carriers, on `shipment.events`."""

from contracts import return_shipments
from contracts.shipments import PUBLISHED
from shipping import reactions
from shipping.base import Base
from shipping.dates import dates
from shipping.returns import reactions as return_reactions
from shipping.returns import routes as returns
from shipping.routes import carriers, shipments
from shipping.scopes import read, write
from tailrace.service import Exposed, Service

service = Service(
    name="shipping",
    topic="shipment.events",
    publishes=(*PUBLISHED, *return_shipments.PUBLISHED),
    subscribers=[dates, reactions.order_requests, return_reactions.return_requests],
    routers=[shipments.router, carriers.router, returns.router],
    exposes=[
        Exposed(prefix="/v1/shipments"),
        Exposed(prefix="/v1/carriers"),
        Exposed(prefix="/v1/return-shipments"),
    ],
    scopes=[read, write],
    default_roles={"sales": ["shipping:read"], "warehouse": ["shipping:*"], "viewer": ["shipping:read"]},
    metadata=Base.metadata,
)
