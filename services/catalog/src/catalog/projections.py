"""What the catalog keeps of others: the zones that a company counts its days in, so that a price list begins and ends with the company's day."""

from catalog.models import Base
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.messaging.days import Days

days = Days("catalog.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
