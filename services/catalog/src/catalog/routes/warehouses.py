"""/v1/warehouses: where stock lies."""

from catalog.bodies import WarehouseBody
from catalog.models import Warehouse
from catalog.projections import uses
from catalog.scopes import Reader, Writer
from catalog.views import WarehouseView
from contracts.catalog import NegativeStock
from tailrace.core.values.fields import Country
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import tenant_router

router = tenant_router("/v1/warehouses", tag="warehouses", about="Where stock lies.", reads=[uses])

master_data_routes(
    router,
    Warehouse,
    "a warehouse",
    body=WarehouseBody,
    view=WarehouseView,
    reader=Reader,
    writer=Writer,
    filters=[
        equal(Warehouse.country, Country),
        equal(Warehouse.active),
        equal(Warehouse.negative_stock, NegativeStock),
    ],
    deletes="Delete a warehouse that nothing needs: no stock, order or shipment. `active: false` closes it to new business before that.",
)
