"""What inventory refuses, and why, in the words a client reads."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from tailrace.core.errors import FieldProblem, Invalid, Refused


def plain(quantity: Decimal) -> str:
    """As people write it: 12.5, not 12.500000."""
    return f"{quantity.normalize():f}"


class Short(Refused):
    """409: not that much is there and free."""

    slug, title = "stock-short", "Not enough stock"

    def __init__(self, *shortages: FieldProblem) -> None:
        super().__init__(" ".join(one.detail for one in shortages[:3]), errors=shortages)


def shortage(
    item_id: UUID, warehouse_id: UUID, wanted: Decimal, free: Decimal, field: str = "/quantity"
) -> FieldProblem:
    """The words for one item that is short."""
    where = f"Of item {item_id} in warehouse {warehouse_id}"
    detail = f"{where}, {plain(wanted)} are wanted and {plain(free)} are free; {plain(wanted - free)} are missing."
    return FieldProblem(field=field, detail=detail)


def shortage_of_lot(number: str, wanted: Decimal, free: Decimal, field: str = "/lots") -> FieldProblem:
    """The words for one lot that is short."""
    return FieldProblem(field=field, detail=f"Of lot {number}, {plain(wanted)} are wanted and {plain(free)} are free.")


class NotUsable(Refused):
    """409: quality has not released the lot, or its last day is over: it leaves as scrap or to its supplier only."""

    slug, title = "lot-not-usable", "This lot may not be used"

    def __init__(self, number: str, why: str, field: str) -> None:
        super().__init__(f"Lot {number} {why}.", field=field)


class MoreThanCame(Refused):
    """409: not that much of the delivery's line is still to be put away."""

    slug, title = "more-than-came", "More than came with the delivery"

    def __init__(self, number: str, sku: str, came: Decimal, taken_in: Decimal, wanted: Decimal) -> None:
        detail = f"Of {sku}, {plain(came)} came with delivery {number} and {plain(taken_in)} are in stock already"
        super().__init__(f"{detail}: not {plain(wanted)} more.", field="/quantity")


class NothingNew(Refused):
    """409: the lot is what it is said to be already."""

    slug, title = "lot-status-unchanged", "The lot has this status already"

    def __init__(self, number: str, status: str) -> None:
        super().__init__(f"Lot {number} is {status} already.", field="/status")


class SerialKnown(Refused):
    """409: a serial number is of one piece, for ever."""

    slug, title = "serial-known", "This serial number is known already"

    def __init__(self, number: str, why: str, field: str) -> None:
        super().__init__(f"Serial number {number} {why}.", field=field)


class LotDiffers(Refused):
    """409: what is said of a lot that came in before is not what is known of it."""

    slug, title = "lot-differs", "The lot is known otherwise"

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(detail, field=field)


class CurrencyDiffers(Refused):
    """409: the stock of an item in a warehouse is valued in one currency, for good."""

    slug, title = "currency-differs", "This stock is valued in another currency"

    def __init__(self, ours: str, theirs: str, field: str = "/currency") -> None:
        detail = f"This stock is valued in {ours}, not in {theirs}."
        super().__init__(detail, field=field)


class TooMuch(Invalid):
    """422: quantities stay below 10^12 and values within 10^15 minor units."""

    slug, title = "stock-too-large", "More than can be counted"


class ReservationEnded(Refused):
    """409: the reservation holds nothing any more."""

    slug, title = "reservation-ended", "The reservation has ended"

    def __init__(self, status: str) -> None:
        super().__init__(f"The reservation is {status}; it holds nothing.")


class HeldForOrder(Refused):
    """409: what an order holds leaves with its shipments; taking it otherwise takes what was promised to a customer."""

    slug, title = "held-for-order", "Held for an order"

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"The reservation holds this for order {order_id}: it leaves with that order's shipments.")


class NotHeld(Refused):
    """409: the reservation does not hold that much for that line."""

    slug, title = "not-held", "Not held by this reservation"

    def __init__(self, wanted: Decimal, held: Decimal, field: str = "/quantity") -> None:
        detail = f"{plain(wanted)} are wanted; the reservation holds {plain(held)} for this line here."
        super().__init__(detail, field=field)


class ReturnedAlready(Refused):
    """409: no more goes back of a receipt than came in with it."""

    slug, title = "more-than-received", "More than came in"

    def __init__(self, received: Decimal, returned: Decimal, wanted: Decimal, field: str = "/quantity") -> None:
        detail = (
            f"{plain(received)} came in with this receipt and {plain(returned)} went back; {plain(wanted)} are wanted."
        )
        super().__init__(detail, field=field)


def missing(lines: Sequence[tuple[UUID, UUID, Decimal, Decimal]]) -> Short:
    """The refusal of a reservation. `lines`: item, warehouse, wanted and free, in the order of the request."""
    return Short(
        *(
            shortage(item, warehouse, wanted, free, f"/lines/{number}/quantity")
            for number, (item, warehouse, wanted, free) in enumerate(lines)
            if free < wanted
        )
    )
