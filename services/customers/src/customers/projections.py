"""What customers keep of others: who may look after one, which teams they are in, and which price lists there are."""

from contracts.catalog import PRICE_LIST
from contracts.users import (
    USER,
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    TenantCreated,
    TenantDatePolicyChanged,
    TenantTimeZoneChanged,
)
from customers.models import Base, PriceListCopy, UserCopy
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.teams import Teams

days = Days("customers.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("customers.dates", Base.metadata, TenantDatePolicyChanged)
users = replica("customers.users", Source(UserCopy, *USER))
teams = Teams("customers.teams", Base.metadata, (TeamCreated, TeamUpdated), TeamDeleted)
price_lists = replica("customers.price_lists", Source(PriceListCopy, *PRICE_LIST))
