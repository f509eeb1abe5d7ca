"""How activities keep their copies, the company's days and teams, and how far dates may lie."""

from activities.base import Base
from activities.copies import CustomerCopy, MergeCopy, UserCopy
from contracts import customers as sales
from contracts.users import TEAM, USER, TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.teams import Teams

days = Days("activities.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("activities.dates", Base.metadata, TenantDatePolicyChanged, days)
teams = Teams("activities.teams", Base.metadata, TEAM)
users = replica("activities.users", Source(UserCopy, *USER))
customers = replica(
    "activities.customers",
    Source(CustomerCopy, *sales.CUSTOMER),
    Source(MergeCopy, *sales.MERGE),
)
