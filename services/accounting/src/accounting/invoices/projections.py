"""How invoices keep their copies."""

from accounting.invoices import copies
from contracts import catalog
from contracts import customers as buyers
from contracts.orders import OrderCancelled, OrderConfirmed, OrderRestCancelled
from contracts.reopenings import OrderReopened
from contracts.shipments import ShipmentDispatched
from contracts.users import TenantCreated, TenantUpdated
from tailrace.messaging.replica import Source, replica

customers = replica(
    "accounting.customers",
    Source(
        copies.CustomerCopy,
        "customer_id",
        (buyers.CustomerCreated, buyers.CustomerUpdated, buyers.CustomerRestored),
        buyers.CustomerDeleted,
    ),
    Source(copies.MergeCopy, "customer_id", (buyers.CustomerMerged,), buyers.CustomerUnmerged),
)
orders = replica(
    "accounting.orders",
    Source(copies.OrderCopy, "order_id", (OrderConfirmed,), OrderReopened),
    # What left of it is still invoiced; nothing is asked for ahead.
    Source(copies.OrderCopy, "order_id", (), OrderCancelled),
)
rests = replica(
    "accounting.order_rests", Source(copies.OrderRestCopy, "order_id", (OrderRestCancelled,), OrderReopened)
)
deliveries = replica("accounting.deliveries", Source(copies.DeliveryCopy, "shipment_id", (ShipmentDispatched,)))
sellers = replica("accounting.sellers", Source(copies.SellerCopy, "tenant_id", (TenantCreated, TenantUpdated)))
companies = replica("accounting.companies", Source(copies.CompanyCopy, "tenant_id", (TenantCreated,)))
taxes = replica(
    "accounting.taxes",
    Source(copies.TaxCodeCopy, *catalog.TAX_CODE),
    Source(copies.TaxPolicyCopy, *catalog.TAX_POLICY),
)
templates = replica(
    "accounting.templates",
    Source(copies.TemplateCopy, *catalog.TEMPLATE),
    Source(copies.TemplateChoiceCopy, *catalog.TEMPLATE_CHOICE),
)
