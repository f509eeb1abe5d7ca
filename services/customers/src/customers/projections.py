"""What customers keep of others: who may look after one, in which teams, by which price lists, and what happened with each customer."""

from contracts.catalog import PriceListCreated, PriceListDeleted, PriceListRestored, PriceListUpdated
from contracts.users import (
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    TenantCreated,
    TenantDatePolicyChanged,
    TenantTimeZoneChanged,
    UserCreated,
    UserDeleted,
    UserUpdated,
)
from customers.models import Base, PriceListCopy, UserCopy
from customers.sources import SOURCES
from customers.timeline import Timeline
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.teams import Teams

days = Days("customers.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("customers.dates", Base.metadata, TenantDatePolicyChanged)
users = replica("customers.users", Source(UserCopy, "user_id", (UserCreated, UserUpdated), UserDeleted))
teams = Teams("customers.teams", Base.metadata, (TeamCreated, TeamUpdated), TeamDeleted)
price_lists = replica(
    "customers.price_lists",
    Source(PriceListCopy, "price_list_id", (PriceListCreated, PriceListUpdated, PriceListRestored), PriceListDeleted),
)
timeline = Timeline("customers.timeline", SOURCES)
