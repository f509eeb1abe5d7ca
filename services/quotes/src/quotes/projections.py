"""How quotes keep their copies, and the company's days."""

from fractions import Fraction

from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as events
from contracts import customers as sales
from contracts.inventory import StockReceived
from contracts.opportunities import OPPORTUNITY
from contracts.users import (
    TEAM,
    USER,
    RoleChanged,
    TenantCreated,
    TenantDatePolicyChanged,
    TenantTimeZoneChanged,
    TenantUpdated,
)
from quotes import copies
from quotes.base import Base
from tailrace.core.events import Meta
from tailrace.core.values.money import PRICE_BOUND
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Parts, Source, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.teams import Teams
from tailrace.pricing.book import price_of_one

days = Days("quotes.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("quotes.dates", Base.metadata, TenantDatePolicyChanged, days)
catalog = replica(
    "quotes.catalog",
    Source(copies.ItemCopy, *events.ITEM),
    Source(copies.UnitCopy, *events.UNIT),
    Source(copies.WarehouseCopy, *events.WAREHOUSE),
    Source(copies.PriceListCopy, *events.PRICE_LIST, Parts(copies.PriceCopy, "prices", "price_list_id")),
    Source(copies.TaxCodeCopy, *events.TAX_CODE),
    Source(copies.TaxPolicyCopy, *events.TAX_POLICY),
)
customers = replica(
    "quotes.customers",
    Source(copies.CustomerCopy, *sales.CUSTOMER),
    Source(copies.MergeCopy, *sales.MERGE),
)
opportunities = replica("quotes.opportunities", Source(copies.OpportunityCopy, *OPPORTUNITY))
roles = replica("quotes.roles", Source(copies.RoleCopy, "role_id", (RoleChanged,)))
sellers = replica("quotes.sellers", Source(copies.SellerCopy, "tenant_id", (TenantCreated, TenantUpdated)))
users = replica("quotes.users", Source(copies.UserCopy, *USER))
teams = Teams("quotes.teams", Base.metadata, TEAM)
templates = replica(
    "quotes.templates",
    Source(copies.TemplateCopy, *events.TEMPLATE),
    Source(copies.TemplateChoiceCopy, *events.TEMPLATE_CHOICE),
)
costs = Projection("quotes.costs", tables=[copies.ItemCost])

_fresh = insert(copies.ItemCost)
_NEWEST = _fresh.on_conflict_do_update(
    index_elements=["tenant_id", "item_id", "currency"],
    set_={"unit_cost": _fresh.excluded.unit_cost, "effective_at": _fresh.excluded.effective_at},
    where=copies.ItemCost.effective_at <= _fresh.excluded.effective_at,
)


@costs.on(StockReceived)
async def received(tx: Tx, event: StockReceived, meta: Meta) -> None:
    if event.reason in ("opening", "purchase", "production"):
        cost = price_of_one(Fraction(event.value), event.quantity)
        row = {
            "tenant_id": tx.tenant_id,
            "item_id": event.item_id,
            "currency": event.currency,
            "unit_cost": cost if cost < PRICE_BOUND else None,
            "effective_at": event.effective_at,
        }
        await tx.execute(_NEWEST, row)
