"""What shipping refuses, each by a name that a client can tell from the others."""

from collections.abc import Sequence

from tailrace.core.errors import FieldProblem, Refused
from tailrace.core.values.custom_fields import CustomField


class WrongState(Refused):
    """409: the shipment is past this step, or not there yet."""

    slug, title = "shipment-state", "Not possible in this state of the shipment"


class Held(Refused):
    """409: the order is on hold, so nothing of it leaves the house."""

    slug, title = "shipment-held", "The order is on hold"


class TooMuch(Refused):
    """409: more than there is of a line for this step."""

    slug, title = "more-than-there-is", "More than there is"


class NothingLeft(Refused):
    """409: a split that would leave the shipment empty."""

    slug, title = "nothing-left", "A split leaves something behind"


class LotStopped(Refused):
    """409: quality has not released a lot of the shipment, or its last day is over. Released from its reservation, the order can have another."""

    slug, title = "lot-stopped", "This lot may not leave"

    def __init__(self, number: str, why: str, line: int) -> None:
        super().__init__(f"Lot {number} {why}.", field=f"/lines/{line}/lots")


class HeatNumberMissing(Refused):
    """409: the company's template wants each line to name the melt that its metal comes from, by the number of its lot."""

    slug, title = "heat-number-missing", "A heat number is missing"

    def __init__(self, sku: str, line: int) -> None:
        super().__init__(f"Not all of {sku} says which lot it is of.", field=f"/lines/{line}/lots")


class CertificateMissing(Refused):
    """409: the company's template wants a certificate to travel with the goods, and the shipment has no file."""

    slug, title = "certificate-missing", "A certificate is missing"

    def __init__(self, number: str) -> None:
        super().__init__(f"Shipment {number} has no file: attach the certificate of what it takes.")


class FieldMissing(Refused):
    """409: the company's template wants the shipment to have a value of each of these fields when it leaves."""

    slug, title = "field-missing", "A field of the shipment is missing"

    def __init__(self, number: str, fields: Sequence[CustomField]) -> None:
        missing = [FieldProblem(field=f"/custom_fields/{field.key}", detail="A value is needed.") for field in fields]
        named = ", ".join(field.label for field in fields[:5])
        super().__init__(f"Shipment {number} lacks what the template wants of it: {named}.", errors=missing[:50])


class NotInParts(Refused):
    """409: the company's template says that an order leaves whole."""

    slug, title = "not-in-parts", "An order leaves whole"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Shipment {number} is not split: the company's template does not let an order leave in parts."
        )


class NotMergeable(Refused):
    """409: the two cannot become one."""

    slug, title = "not-mergeable", "Cannot be merged"
