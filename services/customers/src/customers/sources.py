"""What timelines are made of, declared: which events, of which document, for whom to see. Another context is one more source."""

from typing import Literal

from contracts import activities, customers, orders, quotes, shipments
from customers.timeline import Source, Told

# Opportunities are one more, once their contract is here: `crm.opportunity.*` by opportunity_id, with owner_id, for opportunities:read.
TimelineKind = Literal["customer", "meeting", "task", "quote", "order", "shipment"]
SOURCES = (
    Source(
        kind="customer",
        scope="customers:read",
        key="customer_id",
        title="{number}",
        tells=(
            Told(customers.CustomerCreated),
            Told(customers.CustomerRestored),
            Told(customers.CustomerDeleted),
            Told(customers.CustomerAssigned, ("sales_rep_id", "previous_sales_rep_id", "reason")),
            Told(customers.CustomerCreditChanged, ("credit_limit", "currency", "reason")),
            Told(customers.CustomerProfileChanged, ("reviewed_on", "review_due_on"), scope="customers:profile"),
            Told(customers.CustomerReviewDueReached, ("review_due_on",), scope="customers:profile"),
            Told(customers.CustomerTaxIdChecked, ("country", "result")),
            Told(customers.CustomerConsentChanged, ("purpose", "granted"), moment="given_at"),
            Told(customers.CustomerMerged, ("into_customer_id", "reason")),
            Told(customers.CustomerUnmerged, ("from_customer_id", "reason")),
        ),
        describes=(customers.CustomerUpdated,),
    ),
    Source(
        kind="meeting",
        scope="meetings:read",
        key="meeting_id",
        title="{title}",
        owner="owner_id",
        tells=(
            Told(activities.MeetingCreated, ("starts_at", "ends_at")),
            Told(activities.MeetingHeld, ("outcome", "next_step")),
            Told(activities.MeetingCancelled, ("reason",)),
            Told(activities.MeetingReopened),
            Told(activities.MeetingDeleted),
        ),
        describes=(activities.MeetingUpdated, activities.MeetingRestored),
    ),
    Source(
        kind="task",
        scope="tasks:read",
        key="task_id",
        title="{title}",
        owner="user_id",
        tells=(
            Told(activities.TaskCreated, ("due_at", "due_on", "priority")),
            Told(activities.TaskStarted),
            Told(activities.TaskCompleted, moment="completed_at"),
            Told(activities.TaskCancelled, ("reason",)),
            Told(activities.TaskReopened, ("reason",)),
            Told(activities.TaskDeleted),
        ),
        describes=(activities.TaskUpdated, activities.TaskAssigned),
    ),
    Source(
        kind="quote",
        scope="quotes:read",
        key="quote_id",
        title="{number}/{revision}",
        owner="owner_id",
        tells=(
            Told(quotes.QuoteCreated, ("net", "tax", "currency", "valid_until")),
            Told(quotes.QuoteSubmitted),
            Told(quotes.QuoteApproved),
            Told(quotes.QuoteRejected, ("reason",)),
            Told(quotes.QuoteSent, ("net", "tax", "currency", "valid_until")),
            Told(quotes.QuoteAccepted, ("net", "tax", "currency"), moment="accepted_at"),
            Told(quotes.QuoteOrdered, ("order_id", "order_number")),
            Told(quotes.QuoteDeclined, ("reason",)),
            Told(quotes.QuoteExpired, ("valid_until",)),
            Told(quotes.QuoteRevised),
            Told(quotes.QuoteCancelled, ("reason",)),
            Told(quotes.QuoteDeleted),
        ),
        describes=(quotes.QuoteUpdated,),
    ),
    Source(
        kind="order",
        scope="orders:read",
        key="order_id",
        title="{number}",
        tells=(
            Told(orders.OrderCreated, ("net", "tax", "currency"), moment="ordered_at"),
            Told(orders.OrderConfirmed, ("net", "tax", "currency")),
            Told(orders.OrderHeld, ("reason",)),
            Told(orders.OrderResumed, ("reason",)),
            Told(orders.OrderCancelled, ("reason",)),
            Told(orders.OrderReinstated, ("reason",)),
        ),
        describes=(orders.OrderChanged,),
    ),
    Source(
        kind="shipment",
        scope="shipping:read",
        key="shipment_id",
        title="{number}",
        customer=None,
        parent="order_id",
        tells=(
            Told(shipments.ShipmentCreated),
            Told(shipments.ShipmentDispatched, ("tracking_number",), moment="dispatched_at"),
            Told(shipments.ShipmentDelivered, moment="delivered_at"),
            Told(shipments.ShipmentCancelled, ("reason",)),
        ),
    ),
)
