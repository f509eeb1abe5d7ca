"""The screens of the business, as data: what each shows, and where it leads. A list shows its newest; the rest is behind its own path."""

from tailrace.core.screens import Link, Part, Screen

_SOME = "limit=20"

SCREENS = (
    Screen(
        "quote",
        "A quote, and the orders that it became.",
        (
            Part("quote", "/v1/quotes/{quote_id}"),
            Part("orders", "/v1/orders", f"quote_id={{id}}&{_SOME}"),
        ),
        (Link("customer", "customer_id"),),
    ),
    Screen(
        "order",
        "An order, what happened to it, its shipments, and how it was booked.",
        (
            Part("order", "/v1/orders/{order_id}"),
            Part("history", "/v1/orders/{order_id}/history"),
            Part("shipments", "/v1/shipments", f"order_id={{id}}&{_SOME}"),
            Part("reservations", "/v1/inventory/reservations", f"order_id={{id}}&{_SOME}"),
            Part("journals", "/v1/accounting/journals", f"source_id={{id}}&{_SOME}"),
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
        "customer",
        "A customer, with what was offered and sold.",
        (
            Part("customer", "/v1/customers/{customer_id}"),
            Part("quotes", "/v1/quotes", f"customer_id={{id}}&{_SOME}&sort=-number"),
            Part("orders", "/v1/orders", f"customer_id={{id}}&{_SOME}&sort=-number"),
        ),
    ),
    Screen(
        "home",
        "What a person begins the day with.",
        (
            Part("quotes", "/v1/quotes", f"status=sent&{_SOME}"),
            Part("orders", "/v1/orders", f"status=draft&{_SOME}"),
            Part("shipments", "/v1/shipments", f"held=true&{_SOME}"),
        ),
        of_one=False,
    ),
)
