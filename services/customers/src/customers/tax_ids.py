"""Numbers that tax offices give: their check digits, by country (python-stdnum)."""

from typing import Any

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from tailrace.core.values.text import plain

# A Japanese qualified invoice issuer's number is T and the corporate number; the Greek prefix of VAT numbers is not the ISO code.
_OTHERWISE = {"JP": ("jp", "cn"), "EL": ("gr", "vat")}


def checked(country: str, number: str) -> tuple[str, bool]:
    """The number in its compact form, in plain width, and whether there was a rule to check it by. Raises ValueError when it breaks that rule."""
    text = plain(number).upper()
    if country == "JP":
        text = text.removeprefix("T")
    rule = _rule(country)
    if rule is None:
        return " ".join(text.split()), False
    try:
        return rule.validate(text), True
    except ValidationError as error:
        raise ValueError(f"not a tax number of {country}: {str(error).lower().rstrip('.')}") from error


def _rule(country: str) -> Any:
    return get_cc_module(*_OTHERWISE.get(country, (country.lower(), "vat")))
