"""How far from today a dispatch or a delivery may lie, where the company has said so."""

from contracts.users import TenantDatePolicyChanged
from shipping.base import Base
from tailrace.messaging.date_policy import DatePolicy

dates = DatePolicy("shipping.dates", Base.metadata, TenantDatePolicyChanged)
