"""What a client may say about credit."""

from typing import Annotated

from pydantic import Field

from tailrace.http.routing import Body

_LONGEST = 3650


class CreditPolicyBody(Body):
    """When the company holds orders for credit."""

    overdue_days: Annotated[int, Field(ge=0, le=_LONGEST)] | None
    """For how many days an invoice may be overdue before the customer's orders are held; null for as long as it takes."""
