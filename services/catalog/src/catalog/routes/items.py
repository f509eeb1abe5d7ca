"""/v1/items: what is bought, made, stocked and sold."""

from catalog.bodies import ItemBody, Kind
from catalog.models import Item
from catalog.projections import uses
from catalog.reactions import standard_units
from catalog.scopes import Reader, Writer
from catalog.views import ItemView
from contracts.catalog import NegativeStock, Tracking
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import tenant_router

router = tenant_router(
    "/v1/items", tag="items", about="What is bought, stocked and sold.", reads=[standard_units, uses]
)

master_data_routes(
    router,
    Item,
    "an item",
    body=ItemBody,
    view=ItemView,
    reader=Reader,
    writer=Writer,
    filters=[
        equal(Item.kind, Kind),
        equal(Item.tax_code_id),
        equal(Item.active),
        equal(Item.negative_stock, NegativeStock),
        equal(Item.tracking, Tracking),
    ],
    deletes="Delete an item that nothing needs: no stock, order, shipment or price list. `active: false` closes it to new business before that.",
)
