"""Postal addresses as documents show them: which of somebody's is meant, and its lines in the order of its country."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["address_for", "address_lines", "stated_address"]

_LARGE_TO_SMALL = {"JP"}


def address_for(addresses: Iterable[Mapping[str, Any]], *uses: str) -> Mapping[str, Any] | None:
    """The first one for the first of these uses (`billing`, `shipping`, `office`), else the first there is."""
    known = list(addresses)
    for use in uses:
        for address in known:
            if address["use"] == use:
                return address
    return known[0] if known else None


def stated_address(addresses: Iterable[Mapping[str, Any]], use: str) -> dict[str, Any] | None:
    """The first one for this use, as documents state it; None when none is for it."""
    address = next((each for each in addresses if each["use"] == use), None)
    if address is None:
        return None
    return {name: address.get(name) for name in ("lines", "city", "postal_code", "country")}


def address_lines(address: Mapping[str, Any] | None) -> list[str]:
    """An address as it is printed, line by line: in Japan from the large to the small, elsewhere the other way. None has no lines."""
    if address is None:
        return []
    if address["country"] in _LARGE_TO_SMALL:
        code = f"〒{address['postal_code']}" if address.get("postal_code") else None
        place = "".join(each for each in (address.get("region"), address.get("city")) if each)
        return [each for each in (code, place, *address["lines"]) if each]
    place = " ".join(each for each in (address.get("postal_code"), address.get("city")) if each)
    return [each for each in (*address["lines"], place, address.get("region"), address["country"]) if each]
