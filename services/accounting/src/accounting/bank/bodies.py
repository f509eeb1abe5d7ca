"""What clients say of statements of a bank."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from accounting.payments.bodies import MOST_ALLOCATIONS, AllocationBody
from tailrace.core.fields import FileText
from tailrace.http.routing import Body

_EXAMPLE = "value_day,amount,payer_name,reference\n2026-01-31,110.00,Ada Works,INV-2026-00001\n"


class NewBankStatement(Body):
    """A file of the bank, as text."""

    bank_account_id: UUID
    """The account that the bank made it for."""
    format: Literal["camt.053", "csv"]
    """What it is: camt.053 of ISO 20022, or CSV with the columns `value_day` and `amount` and, if need be, `booked_on`, `payer_name`, …"""
    content: Annotated[FileText, Field(min_length=1, max_length=1_900_000, examples=[_EXAMPLE])]
    """All of it."""
    confirm_certain: bool = False
    """Whether a line that names invoices which come to its amount exactly is taken as their payment at once."""


class BankLineConfirmation(Body):
    """That a line is a payment, and of what."""

    customer_id: UUID | None = Field(None, description="Whose it is; that of the invoices when left out.")
    allocations: Annotated[list[AllocationBody], Field(max_length=MOST_ALLOCATIONS)] = []
    """Which invoices it is for; the rest is the customer's credit."""
