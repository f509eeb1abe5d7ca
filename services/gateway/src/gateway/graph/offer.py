"""What the schema offers, as data: each line names an operation of a service, and everything else follows from that service's document.

The lists of a thing come from its screen (`gateway.screens`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """A field of `Query`: what `GET path` answers. The parameters of path and query are its arguments; those of `needs` must be given.

    With `rows` it shows the rows of a page alone, and no other arguments than `needs` and `limit`.
    """

    name: str
    path: str
    needs: Sequence[str] = ()
    rows: bool = False


@dataclass(frozen=True, slots=True)
class Find:
    """A field of `Query`: the one row of the list at `path` that has the id."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Action:
    """A field of `Mutation`: what `method path` does. Its body is the argument `input`."""

    name: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Watch:
    """A field of `Subscription`: each event on `topic` that is about what `argument` names, and the thing as it is read then.

    With `begins` the first message is the thing as it is, and the events are those of the aggregate with that id; without, they are those whose
    payload names it. Without an `argument` they are those whose payload names the caller as `user_id`. `path` and `query` are filled in from the
    payload, and are of one thing, or of a list whose one row it is.
    """

    name: str
    topic: str
    argument: str
    field: str
    path: str
    query: str = ""
    begins: bool = False
    permits: str = ""
    """What must be readable to listen, where there is no thing to begin with: a path and a query."""
    also: Sequence[str] = ()
    """Types of events that are about all of the caller's things at once, and name none: they come without one."""

    @property
    def named(self) -> frozenset[str]:
        """What path and query take from a payload."""
        return frozenset(re.findall(r"{([a-z_]+)}", self.path + self.query))


@dataclass(frozen=True, slots=True)
class Offer:
    """All of a schema. `links` say which list a property leads to, by its name; `names` what is called otherwise than its service calls it."""

    reads: Sequence[Read | Find] = ()
    actions: Sequence[Action] = ()
    watches: Sequence[Watch] = ()
    links: Mapping[str, str] | None = None
    names: Mapping[str, str] | None = None


_INVOICES = "/v1/accounting/invoices"
_STOCK = "/v1/inventory/stock"
_NEWS = "/v1/notifications"
_DASHBOARDS = "/v1/analytics/dashboards"

OFFER = Offer(
    reads=(
        Read("order", "/v1/orders/{order_id}"),
        Read("orders", "/v1/orders"),
        Read("customerOrders", "/v1/orders", needs=("customer_id",), rows=True),
        Read("quote", "/v1/quotes/{quote_id}"),
        Read("quotes", "/v1/quotes"),
        Read("opportunity", "/v1/opportunities/{opportunity_id}"),
        Read("opportunities", "/v1/opportunities"),
        Read("lead", "/v1/leads/{lead_id}"),
        Read("leads", "/v1/leads"),
        Read("customer", "/v1/customers/{customer_id}"),
        Read("customers", "/v1/customers"),
        Read("item", "/v1/items/{item_id}"),
        Read("items", "/v1/items"),
        Read("warehouses", "/v1/warehouses"),
        Read("shipment", "/v1/shipments/{shipment_id}"),
        Read("shipments", "/v1/shipments"),
        Read("inventoryLevels", _STOCK, needs=("warehouse_id",), rows=True),
        Read("stock", _STOCK),
        Read("invoice", f"{_INVOICES}/{{invoice_id}}"),
        Find("invoiceSummary", _INVOICES),
        Read("invoices", _INVOICES),
        Read("journal", "/v1/accounting/journals/{id}"),
        Read("journals", "/v1/accounting/journals"),
        Read("task", "/v1/tasks/{task_id}"),
        Read("tasks", "/v1/tasks"),
        Read("overdueTasks", "/v1/tasks/overdue"),
        Read("meetings", "/v1/meetings"),
        Read("approval", "/v1/approvals/{approval_id}"),
        Read("approvals", "/v1/approvals"),
        Read("pendingApprovals", "/v1/approvals/pending"),
        Read("notifications", _NEWS),
        Read("unreadNotifications", f"{_NEWS}/unread"),
        Read("salesSummary", "/v1/reports/sales-summary"),
        Read("customerStatistics", "/v1/reports/customer-statistics"),
        Read("approvalStatistics", "/v1/reports/approval-statistics"),
        Read("taskCompletion", "/v1/reports/task-completion"),
        Read("funnel", "/v1/reports/funnel"),
        Read("cohorts", "/v1/reports/cohorts"),
        Read("spend", "/v1/analytics/spend"),
        Read("kpi", "/v1/kpis/{kpi_id}"),
        Read("kpis", "/v1/kpis"),
        Read("scorecard", "/v1/kpis/{kpi_id}/scorecard"),
        Read("kpiTargets", "/v1/kpis/{kpi_id}/targets"),
        Read("kpiResults", "/v1/kpis/{kpi_id}/results"),
        Read("kpiRecords", "/v1/kpis/{kpi_id}/records"),
        Read("dashboard", f"{_DASHBOARDS}/{{dashboard_id}}"),
        Read("dashboards", _DASHBOARDS),
        Read("dashboardFigures", f"{_DASHBOARDS}/{{dashboard_id}}/figures"),
        Read("me", "/v1/auth/me"),
    ),
    actions=(
        Action("createOrder", "post", "/v1/orders"),
        Action("confirmOrder", "post", "/v1/orders/{order_id}/confirm"),
        Action("cancelOrder", "post", "/v1/orders/{order_id}/cancel"),
        Action("acceptQuote", "post", "/v1/quotes/{quote_id}/accept"),
        Action("setTaskStatus", "patch", "/v1/tasks/{task_id}/status"),
        Action("approve", "patch", "/v1/approvals/{approval_id}/approve"),
        Action("reject", "patch", "/v1/approvals/{approval_id}/reject"),
        Action("makeForecast", "post", "/v1/analytics/forecast"),
        Action("createJournal", "post", "/v1/accounting/journals"),
        Action("updateInventory", "post", "/v1/inventory/adjustments"),
    ),
    watches=(
        Watch("orderStatusChanged", "order.events", "order_id", "order", "/v1/orders/{order_id}", begins=True),
        Watch(
            "inventoryUpdated",
            "inventory.events",
            "warehouse_id",
            "level",
            _STOCK,
            "item_id={item_id}&warehouse_id={warehouse_id}&limit=1",
            permits=f"{_STOCK}?warehouse_id={{warehouse_id}}&limit=1",
        ),
        Watch(
            "notificationChanged",
            "notification.events",
            "",
            "notification",
            _NEWS,
            "id={notification_id}&limit=1",
            permits=f"{_NEWS}?limit=1",
            also=("notification.mailbox.all_read",),
        ),
    ),
    links={
        "customer_id": "/v1/customers",
        "item_id": "/v1/items",
        "warehouse_id": "/v1/warehouses",
        "opportunity_id": "/v1/opportunities",
        "quote_id": "/v1/quotes",
        "order_id": "/v1/orders",
        "shipment_id": "/v1/shipments",
        "invoice_id": _INVOICES,
        "kpi_id": "/v1/kpis",
    },
    names={"StockView": "InventoryLevel"},
)
