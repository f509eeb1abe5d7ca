"""The screens of the business, as data: what each shows, and where it leads. A list shows its newest; the rest is behind its own path."""

from tailrace.core.screens import Link, Part, Screen

_SOME = "limit=20"

SCREENS = (
    Screen(
        "customer",
        "A customer: what happened lately, what is offered and sold, what is to be done, and what is still to be paid.",
        (
            Part("customer", "/v1/customers/{customer_id}"),
            Part("timeline", "/v1/customers/{customer_id}/timeline", _SOME),
            Part("opportunities", "/v1/opportunities", f"customer_id={{id}}&status=open&{_SOME}"),
            Part("quotes", "/v1/quotes", f"customer_id={{id}}&sort=-number&{_SOME}"),
            Part("orders", "/v1/orders", f"customer_id={{id}}&sort=-number&{_SOME}"),
            Part("invoices", "/v1/accounting/invoices", f"customer_id={{id}}&{_SOME}"),
            Part("tasks", "/v1/tasks", f"customer_id={{id}}&status=open&{_SOME}"),
        ),
    ),
    Screen(
        "opportunity",
        "An opportunity, the stages that it went through, its meetings, its tasks.",
        (
            Part("opportunity", "/v1/opportunities/{opportunity_id}"),
            Part("stages", "/v1/opportunities/{opportunity_id}/stages"),
            Part("meetings", "/v1/meetings", f"opportunity_id={{id}}&{_SOME}"),
            Part("tasks", "/v1/tasks", f"opportunity_id={{id}}&{_SOME}"),
        ),
        (Link("customer", "customer_id"),),
    ),
    Screen(
        "quote",
        "A quote, who approved it, its tasks, and the order that it became.",
        (
            Part("quote", "/v1/quotes/{quote_id}"),
            Part("approvals", "/v1/approvals", f"document_id={{id}}&{_SOME}"),
            Part("orders", "/v1/orders", f"quote_id={{id}}&{_SOME}"),
            Part("tasks", "/v1/tasks", f"quote_id={{id}}&{_SOME}"),
        ),
        (Link("customer", "customer_id"), Link("opportunity", "opportunity_id")),
    ),
    Screen(
        "order",
        "An order, what happened to it, its shipments, its invoices, and how it was booked.",
        (
            Part("order", "/v1/orders/{order_id}"),
            Part("history", "/v1/orders/{order_id}/history"),
            Part("shipments", "/v1/shipments", f"order_id={{id}}&{_SOME}"),
            Part("reservations", "/v1/inventory/reservations", f"order_id={{id}}&{_SOME}"),
            Part("invoices", "/v1/accounting/invoices", f"order_id={{id}}&{_SOME}"),
            Part("journals", "/v1/accounting/journals", f"order_id={{id}}&{_SOME}"),
        ),
        (Link("customer", "customer_id"), Link("quote", "quote_id")),
    ),
    Screen(
        "shipment",
        "A shipment, what left stock with it, and how that was booked.",
        (
            Part("shipment", "/v1/shipments/{shipment_id}"),
            Part("movements", "/v1/inventory/movements", f"shipment_id={{id}}&{_SOME}"),
            Part("journals", "/v1/accounting/journals", f"source_id={{id}}&{_SOME}"),
        ),
        (Link("order", "order_id"),),
    ),
    Screen(
        "home",
        "What a person begins the day with: what waits for them, what is overdue, what is held up.",
        (
            Part("approvals", "/v1/approvals/pending", _SOME),
            Part("overdue_tasks", "/v1/tasks/overdue", _SOME),
            Part("sent_quotes", "/v1/quotes", f"status=sent&{_SOME}"),
            Part("draft_orders", "/v1/orders", f"status=draft&{_SOME}"),
            Part("held_shipments", "/v1/shipments", f"held=true&{_SOME}"),
            Part("overdue_invoices", "/v1/accounting/invoices", f"overdue=true&{_SOME}"),
        ),
        of_one=False,
    ),
)
