"""How notifications keep their copies, and the company's days."""

from collections.abc import Mapping, Sequence

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from contracts import customers as sales
from contracts.activities import MeetingCreated, TaskCreated
from contracts.analytics import KpiCreated
from contracts.approvals import ApprovalRequested
from contracts.invoices import InvoiceCreated
from contracts.leads import LeadCreated
from contracts.orders import OrderAssigned, OrderChanged, OrderConfirmed, OrderCreated
from contracts.quotes import QuoteCreated
from contracts.shipments import ShipmentCreated
from contracts.users import TEAM, USER, RoleChanged, TenantCreated, TenantTimeZoneChanged
from notifications.base import Base
from notifications.copies import CompanyCopy, CustomerCopy, DocumentCopy, RoleCopy, UserCopy
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.messaging.days import Days
from tailrace.messaging.replica import Source, replica
from tailrace.messaging.subscribers import Projection
from tailrace.messaging.teams import Teams

days = Days("notifications.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
users = replica("notifications.users", Source(UserCopy, *USER))
customers = replica("notifications.customers", Source(CustomerCopy, *sales.CUSTOMER))
teams = Teams("notifications.teams", Base.metadata, TEAM)
roles = Projection("notifications.roles", tables=[RoleCopy])
documents = Projection("notifications.documents", tables=[DocumentCopy])
companies = Projection("notifications.companies", tables=[CompanyCopy])


_IDS: Mapping[type[Event], str] = {
    ApprovalRequested: "approval_id",
    InvoiceCreated: "invoice_id",
    KpiCreated: "kpi_id",
    LeadCreated: "lead_id",
    MeetingCreated: "meeting_id",
    OrderAssigned: "order_id",
    OrderChanged: "order_id",
    OrderConfirmed: "order_id",
    OrderCreated: "order_id",
    QuoteCreated: "quote_id",
    ShipmentCreated: "shipment_id",
    TaskCreated: "task_id",
}
_ORDER = ("number", "customer_id", "owner_id")
_SAID: Mapping[type[Event], Sequence[str]] = {
    OrderAssigned: ("owner_id",),
    OrderChanged: _ORDER,
    OrderConfirmed: _ORDER,
    OrderCreated: _ORDER,
    ShipmentCreated: ("number", "order_id"),
}
"""What is kept of a document, beyond that it is there."""


@documents.on(*_IDS)
async def document_told(tx: Tx, event: Event, meta: Meta) -> None:
    said = {name: getattr(event, name) for name in _SAID.get(type(event), ())}
    row = insert(DocumentCopy).values(tenant_id=tx.tenant_id, id=getattr(event, _IDS[type(event)]), **said)
    known = ["tenant_id", "id"]
    await tx.execute(
        row.on_conflict_do_update(index_elements=known, set_=said) if said else row.on_conflict_do_nothing()
    )


@roles.on(RoleChanged)
async def role_changed(tx: Tx, event: RoleChanged, meta: Meta) -> None:
    said = {"name": event.name, "scopes": event.scopes}
    row = insert(RoleCopy).values(tenant_id=tx.tenant_id, id=event.role_id, **said)
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=said))


@companies.on(TenantCreated)
async def company_founded(tx: Tx, event: TenantCreated, meta: Meta) -> None:
    said = {"country": event.country, "time_zone": event.time_zone}
    row = insert(CompanyCopy).values(tenant_id=tx.tenant_id, id=event.tenant_id, **said)
    await tx.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=said))


@companies.on(TenantTimeZoneChanged)
async def company_moved(tx: Tx, event: TenantTimeZoneChanged, meta: Meta) -> None:
    # From when on its days are counted so, is no matter here: people's clocks are meant.
    row = update(CompanyCopy).where(CompanyCopy.id == event.tenant_id).values(time_zone=event.time_zone)
    await tx.execute(row)
