"""How quotes keep their copies, and the company's days."""

from fractions import Fraction

from sqlalchemy.dialects.postgresql import insert

from contracts import catalog as events
from contracts import customers as sales
from contracts.inventory import StockReceived
from contracts.users import (
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    TenantCreated,
    TenantDatePolicyChanged,
    TenantTimeZoneChanged,
    TenantUpdated,
    UserCreated,
    UserDeleted,
    UserUpdated,
)
from quotes import copies
from quotes.base import Base
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Parts, Source, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.teams import Teams
from tailrace.pricing.book import price_of_one

days = Days("quotes.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("quotes.dates", Base.metadata, TenantDatePolicyChanged)
catalog = replica(
    "quotes.catalog",
    Source(
        copies.ItemCopy, "item_id", (events.ItemCreated, events.ItemUpdated, events.ItemRestored), events.ItemDeleted
    ),
    Source(
        copies.UnitCopy, "unit_id", (events.UnitCreated, events.UnitUpdated, events.UnitRestored), events.UnitDeleted
    ),
    Source(
        copies.WarehouseCopy,
        "warehouse_id",
        (events.WarehouseCreated, events.WarehouseUpdated, events.WarehouseRestored),
        events.WarehouseDeleted,
    ),
    Source(
        copies.PriceListCopy,
        "price_list_id",
        (events.PriceListCreated, events.PriceListUpdated, events.PriceListRestored),
        events.PriceListDeleted,
        Parts(copies.PriceCopy, "prices", "price_list_id"),
    ),
    Source(
        copies.TaxCodeCopy,
        "tax_code_id",
        (events.TaxCodeCreated, events.TaxCodeUpdated, events.TaxCodeRestored),
        events.TaxCodeDeleted,
    ),
    Source(copies.TaxPolicyCopy, "tax_policy_id", (events.TaxPolicyUpdated,)),
)
customers = replica(
    "quotes.customers",
    Source(
        copies.CustomerCopy,
        "customer_id",
        (sales.CustomerCreated, sales.CustomerUpdated, sales.CustomerRestored),
        sales.CustomerDeleted,
    ),
    Source(copies.MergeCopy, "customer_id", (sales.CustomerMerged,), sales.CustomerUnmerged),
)
sellers = replica("quotes.sellers", Source(copies.SellerCopy, "tenant_id", (TenantCreated, TenantUpdated)))
users = replica("quotes.users", Source(copies.UserCopy, "user_id", (UserCreated, UserUpdated), UserDeleted))
teams = Teams("quotes.teams", Base.metadata, (TeamCreated, TeamUpdated), TeamDeleted)
templates = replica(
    "quotes.templates",
    Source(
        copies.TemplateCopy,
        "template_id",
        (events.TemplateCreated, events.TemplateUpdated, events.TemplateRestored),
        events.TemplateDeleted,
    ),
    Source(copies.TemplateChoiceCopy, "template_choice_id", (events.TemplateChoiceUpdated,)),
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
        row = {
            "tenant_id": tx.tenant_id,
            "item_id": event.item_id,
            "currency": event.currency,
            "unit_cost": price_of_one(Fraction(event.value), event.quantity),
            "effective_at": event.effective_at,
        }
        await tx.execute(_NEWEST, row)
