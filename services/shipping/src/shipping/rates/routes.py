"""/v1/tariffs: what carriers ask for. /v1/shipments/{shipment_id}/rates: what a shipment costs by each of them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from shipping.dates import dates
from shipping.models import Shipment
from shipping.projections import days
from shipping.rates import commands
from shipping.rates.bodies import TariffBody
from shipping.rates.commands import Choice, Quote
from shipping.rates.models import Tariff
from shipping.rates.pricing import Price
from shipping.rates.views import TariffChoiceView, TariffQuotesView, TariffQuoteView, TariffSummary, TariffView
from shipping.reactions import order_requests
from shipping.scopes import Reader, Writer
from tailrace.core.values.fields import Day
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/tariffs", tag="tariffs", about="What carriers ask for, by place and weight.", reads=[days, dates]
)
quotes_router = tenant_router(
    "/v1/shipments", tag="rates", about="What a shipment costs by each tariff.", reads=[order_requests, days]
)

master_data_routes(
    router,
    Tariff,
    "a tariff",
    body=TariffBody,
    view=TariffView,
    summary=TariffSummary,
    reader=Reader,
    writer=Writer,
    filters=[equal(Tariff.carrier_id), equal(Tariff.service), equal(Tariff.active)],
    lists="Tariffs, without their rates.",
)


@quotes_router.get("/{shipment_id}/rates")
async def read_rates(
    tx: Tx,
    who: Reader,
    shipment_id: UUID,
    on: Annotated[Day | None, Query(description="The company's day that it is sent on; today when left out.")] = None,
) -> TariffQuotesView:
    """What a shipment costs by each active tariff, and which one is the cheapest and the fastest. All of it is packed and weighed by then."""
    shipment = await tx.find(Shipment, shipment_id)
    day = on or await days.today(tx)
    found = await commands.quote(tx, shipment, day)

    def choice(way: Choice) -> TariffChoiceView | None:
        chosen = found.chosen.get(way)
        return None if chosen is None else TariffChoiceView(tariff_id=chosen[0].id, reason=chosen[1])

    return TariffQuotesView(
        shipment_id=shipment.id,
        on=day,
        currency=shipment.currency,
        quotes=[_view(each) for each in found.quotes],
        cheapest=choice("cheapest"),
        fastest=choice("fastest"),
    )


def _view(quote: Quote) -> TariffQuoteView:
    tariff, price = quote.tariff, quote.price
    known = {name: getattr(tariff, name) for name in ("code", "carrier_id", "service", "currency", "days")}
    said: dict[str, Any] = {"total": None, "chargeable_grams": None, "charges": [], "unavailable": price}
    if isinstance(price, Price):
        said = {"total": price.total, "chargeable_grams": price.chargeable_grams, "charges": price.charges}
        said["unavailable"] = None
    return TariffQuoteView.model_validate({"tariff_id": tariff.id, **known, **said}, from_attributes=True)
