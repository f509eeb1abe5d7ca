"""/v1/carriers: who brings the goods."""

from shipping.bodies import CarrierBody
from shipping.carriers import Carrier
from shipping.scopes import Reader, Writer
from shipping.views import CarrierView
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import tenant_router

router = tenant_router("/v1/carriers", tag="carriers", about="Who takes parcels.")

master_data_routes(
    router,
    Carrier,
    "a carrier",
    body=CarrierBody,
    view=CarrierView,
    reader=Reader,
    writer=Writer,
    filters=[equal(Carrier.active)],
    deletes="Delete a carrier that no shipment is on its way with. `active: false` closes it to new ones before that.",
)
