"""What is measured: a closed list, each with the kind of document that it counts, and whether it says what happened or what stands.

A measure of what happened (`order_confirmed`) is added up over the days of a report. One of what stands (`task_open`) is what is left at a moment.
"""

from typing import Literal, get_args

Kind = Literal[
    "approval",
    "credit_note",
    "customer",
    "delivery",
    "goods_issue",
    "goods_receipt",
    "invoice",
    "lead",
    "meeting",
    "opportunity",
    "order",
    "payment",
    "quote",
    "task",
]

Measure = Literal[
    "approval_approved",
    "approval_open",
    "approval_recalled",
    "approval_rejected",
    "approval_requested",
    "approval_voided",
    "credit_note_issued",
    "customer_added",
    "customer_deleted",
    "customer_standing",
    "goods_issued",
    "goods_received",
    "goods_returned",
    "invoice_issued",
    "lead_converted",
    "lead_created",
    "lead_lost",
    "lead_qualified",
    "meeting_cancelled",
    "meeting_created",
    "meeting_held",
    "meeting_planned",
    "opportunity_created",
    "opportunity_lost",
    "opportunity_open",
    "opportunity_won",
    "order_cancelled",
    "order_confirmed",
    "order_invoiced",
    "order_paid",
    "order_placed",
    "order_shipped",
    "payment_received",
    "payment_reversed",
    "quote_accepted",
    "quote_cancelled",
    "quote_declined",
    "quote_expired",
    "quote_made",
    "quote_sent",
    "task_cancelled",
    "task_completed",
    "task_created",
    "task_due",
    "task_late",
    "task_on_time",
    "task_open",
]

STANDING: frozenset[Measure] = frozenset(
    {"approval_open", "customer_standing", "meeting_planned", "opportunity_open", "task_due", "task_open"}
)
"""Those that say what stands at a moment."""

Figure = Literal["amount", "seconds", "quantity"]
"""What a row may add besides its count."""

_NOTHING_ELSE = ("customer_", "meeting_", "task_")
_ANSWERS = frozenset[Measure]({"approval_approved", "approval_recalled", "approval_rejected", "approval_voided"})
_GOODS = frozenset[Measure]({"goods_issued", "goods_received", "goods_returned"})


def _carried(measure: Measure) -> frozenset[Figure]:
    if measure == "task_completed":
        return frozenset({"seconds"})
    if measure.startswith(_NOTHING_ELSE):
        return frozenset()
    if measure in _ANSWERS:
        return frozenset({"amount", "seconds"})
    return frozenset({"amount", "quantity"}) if measure in _GOODS else frozenset({"amount"})


CARRIED: dict[Measure, frozenset[Figure]] = {measure: _carried(measure) for measure in get_args(Measure)}
"""What rows of a measure add besides their count; of a figure that is not among it they have nothing, so that nobody needs to read it."""

PATHS: dict[Kind, str] = {
    "approval": "/v1/approvals",
    "credit_note": "/v1/accounting/credit-notes",
    "customer": "/v1/customers",
    "delivery": "/v1/asns",
    "goods_issue": "/v1/inventory/movements",
    "goods_receipt": "/v1/inventory/movements",
    "invoice": "/v1/accounting/invoices",
    "lead": "/v1/leads",
    "meeting": "/v1/meetings",
    "opportunity": "/v1/opportunities",
    "order": "/v1/orders",
    "payment": "/v1/accounting/payments",
    "quote": "/v1/quotes",
    "task": "/v1/tasks",
}
"""Where a document of each kind is read."""

assert set(PATHS) == set(get_args(Kind))
