"""What customers keep of others: who may look after one, and which price lists there are."""

from contracts.catalog import PriceListCreated, PriceListDeleted, PriceListRestored, PriceListUpdated
from contracts.users import TenantDatePolicyChanged, UserCreated, UserDeleted, UserUpdated
from customers.models import Base, PriceListCopy, UserCopy
from tailrace.messaging.date_policy import DatePolicy
from tailrace.messaging.replica import Source, replica

dates = DatePolicy("customers.dates", Base.metadata, TenantDatePolicyChanged)
users = replica("customers.users", Source(UserCopy, "user_id", (UserCreated, UserUpdated), UserDeleted))
price_lists = replica(
    "customers.price_lists",
    Source(PriceListCopy, "price_list_id", (PriceListCreated, PriceListUpdated, PriceListRestored), PriceListDeleted),
)
