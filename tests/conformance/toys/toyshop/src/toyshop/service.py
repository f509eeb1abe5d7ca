"""The toy shop's manifest."""

from tailrace.service import Exposed, Service
from tailrace.transfer.bulk import LARGEST_BULK
from toyshop import events, routes, subscribers
from toyshop.models import Base

service = Service(
    name="toyshop",
    topic="toyshop.events",
    publishes=events.PUBLISHED,
    subscribers=[subscribers.products, subscribers.teams, subscribers.welcome],
    routers=[routes.terms, routes.many, routes.cards, routes.points, routes.shelf],
    exposes=[
        Exposed(prefix="/v1/card-terms", public=True),
        Exposed(prefix="/v1/cards"),
        Exposed(prefix="/v1/cards/bulk", body_limit=LARGEST_BULK, write_timeout=60.0),
        Exposed(prefix="/v1/points"),
        Exposed(prefix="/v1/products"),
    ],
    scopes=[routes.read, routes.write, routes.pii],
    metadata=Base.metadata,
    platform_tables=frozenset({"card_home"}),
)
