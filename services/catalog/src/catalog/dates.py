"""The company's days, and how far ahead prices and rates of tax may begin."""

from catalog.base import Base
from contracts.users import TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.days import Days

days = Days("catalog.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
dates = DatePolicy("catalog.dates", Base.metadata, TenantDatePolicyChanged, days)
