"""Fields that the company's template adds to invoices: asked for where a person makes, changes or issues one, never where one arises by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounting.invoices.copies import settings
from accounting.invoices.models import Invoice
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.values.custom_fields import CustomField, checked
from tailrace.db.database import Tx


async def checked_values(tx: Tx, values: Mapping[str, Any]) -> dict[str, bool | str]:
    """The values as they are kept. Raises Invalid that names each that is not as the template says."""
    return checked(values, await _fields(tx))


async def ensure_complete(tx: Tx, invoice: Invoice) -> None:
    """Raises Invalid that names each value that a draft needs and has not: nothing can be added to it once it is issued."""
    missing = [each.key for each in await _fields(tx) if each.required and each.key not in invoice.custom_fields]
    if missing:
        errors = [FieldProblem(field=f"/custom_fields/{key}", detail="A value is needed.") for key in missing]
        raise Invalid("Change the draft first: the template asks for more than it says.", errors=errors)


async def _fields(tx: Tx) -> Sequence[CustomField]:
    return (await settings.effective(tx)).fields.get("invoice", [])
