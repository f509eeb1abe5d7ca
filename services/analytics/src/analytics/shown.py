"""Which reports there are: which of their fields shows which measure."""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.measures import Measure


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report shows: measures of what happened, and measures of what stands, by the fields of its view."""

    name: str
    happened: Mapping[str, Measure]
    stands: Mapping[str, Measure]
    money: bool = False
    """Whether its rows are told apart by currency, and have amounts."""
    prefix: str = "/v1/reports"

    @property
    def path(self) -> str:
        return f"{self.prefix}/{self.name}"

    @property
    def measures(self) -> frozenset[Measure]:
        return frozenset((*self.happened.values(), *self.stands.values()))


SALES = Report(
    name="sales-summary",
    happened={
        "placed": "order_placed",
        "confirmed": "order_confirmed",
        "cancelled": "order_cancelled",
        "shipped": "order_shipped",
        "invoiced": "order_invoiced",
        "paid": "order_paid",
        "quotes_made": "quote_made",
        "quotes_sent": "quote_sent",
        "quotes_accepted": "quote_accepted",
        "quotes_declined": "quote_declined",
        "opportunities_won": "opportunity_won",
        "opportunities_lost": "opportunity_lost",
        "invoices_issued": "invoice_issued",
        "credit_notes_issued": "credit_note_issued",
        "payments_received": "payment_received",
        "payments_reversed": "payment_reversed",
    },
    stands={"opportunities_open": "opportunity_open"},
    money=True,
)
CUSTOMERS = Report(
    name="customer-statistics",
    happened={"added": "customer_added", "deleted": "customer_deleted"},
    stands={"customers": "customer_standing"},
)
APPROVALS = Report(
    name="approval-statistics",
    happened={
        "requested": "approval_requested",
        "approved": "approval_approved",
        "rejected": "approval_rejected",
        "recalled": "approval_recalled",
        "voided": "approval_voided",
    },
    stands={"open": "approval_open"},
)
TASKS = Report(
    name="task-completion",
    happened={
        "created": "task_created",
        "completed": "task_completed",
        "on_time": "task_on_time",
        "late": "task_late",
        "cancelled": "task_cancelled",
        "meetings_held": "meeting_held",
        "meetings_cancelled": "meeting_cancelled",
    },
    stands={"open": "task_open", "overdue": "task_due", "meetings_planned": "meeting_planned"},
)
SPEND = Report(
    name="spend",
    happened={"received": "goods_received", "returned": "goods_returned", "issued": "goods_issued"},
    stands={},
    money=True,
    prefix="/v1/analytics",
)
