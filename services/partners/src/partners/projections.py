"""What partners keeps of others: the company's days, in which a person may say since when a partner hears of events."""

from contracts.users import TenantCreated, TenantTimeZoneChanged
from partners.models import Base
from tailrace.messaging.days import Days

days = Days("partners.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
