"""The company's days, by which tariffs begin and end, and lots expire."""

from contracts.users import TenantCreated, TenantTimeZoneChanged
from shipping.base import Base
from tailrace.messaging.days import Days

days = Days("shipping.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
