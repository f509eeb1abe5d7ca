"""What the company's template says of an order: how it may leave, and which fields of the company's own it has."""

from collections.abc import Mapping
from typing import Any

from contracts.templates import TemplateSettings
from orders.bodies import OrderTerms
from tailrace.core.errors import Invalid
from tailrace.core.values.custom_fields import checked, fitting


def completed(template: TemplateSettings, asked: OrderTerms) -> dict[str, Any]:
    """The columns of an order that are as its client said, else as the template does.

    Raises Invalid for one that asks to leave in parts where none may, and that names each custom field that is not as the template says.
    """
    if asked.partial_allowed and template.shipping.in_parts is False:
        raise Invalid.field("/partial_allowed", "By the company's template, no order is shipped in parts.")
    rules = unsaid(template)
    return {
        "partial_allowed": rules["partial_allowed"] if asked.partial_allowed is None else asked.partial_allowed,
        "when_short": asked.when_short or rules["when_short"],
        "custom_fields": checked(asked.custom_fields, template.fields.get("order", [])),
    }


def unsaid(template: TemplateSettings) -> dict[str, Any]:
    """How an order leaves that does not say it."""
    return {"partial_allowed": bool(template.shipping.in_parts), "when_short": template.shipping.when_short or "stop"}


def taken_over(template: TemplateSettings, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an order that is made of something with these: what it lacks is not asked for."""
    return fitting(values, template.fields.get("order", []))
