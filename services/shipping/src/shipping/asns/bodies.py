"""What clients say of deliveries that are to come."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shipping.asns.models import MOST_LINES, more_than_counts
from shipping.bodies import Gtin, Lot
from shipping.labels.gs1 import check_digit, has_check_digit
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Code, Day, MomentOrDay, Name, Text
from tailrace.core.values.meaning import Means
from tailrace.core.values.money import Quantity
from tailrace.core.values.units import MOST_QUANTITY
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body


def _sscc(text: str) -> str:
    if not has_check_digit(text):
        raise ValueError(f"the check digit of {text} is not {check_digit(text[:-1])}")
    return text


Sscc = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{18}$"), AfterValidator(_sscc), Means("An SSCC with its check digit (GS1).")
]


class AsnLineBody(Body):
    """Goods in a parcel."""

    sku: Code
    """What the sender calls the item."""
    name: Name | None = None
    """What people call it."""
    quantity: Quantity
    """How much of it."""
    gtin: Gtin | None = None
    """The GTIN of one piece."""
    lot: Lot | None = None
    """The batch or lot that it is of."""
    expires_on: Day | None = None
    """The last day that it is good."""


Goods = Annotated[list[AsnLineBody], Field(max_length=200)]


class AsnPackageBody(Body):
    """A parcel that is to come."""

    sscc: Sscc
    """By which it is scanned."""
    weight_grams: Annotated[int, Field(gt=0, le=10**9)] | None = None
    """What it weighs; null when nobody said."""
    lines: Annotated[Goods, Field(min_length=1)]
    """The goods that the parcel holds."""


class NewAsn(Body):
    """A delivery that a supplier announces."""

    supplier_name: Personal[Name]
    """Who sends it."""
    reference: Text
    """What the supplier calls it; one delivery of theirs has it."""
    expected_on: Day | None = None
    """The day that it is to come; null when nobody said."""
    packages: Annotated[list[AsnPackageBody], Field(min_length=1, max_length=300)]
    """What is to come."""

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        known: set[str] = set()
        for at, package in enumerate(self.packages):
            if package.sscc in known:
                raise WrongFields(f"Parcel {package.sscc} is named twice.", f"packages/{at}/sscc")
            known.add(package.sscc)
        if sum(len(package.lines) for package in self.packages) > MOST_LINES:
            raise WrongFields(f"At most {MOST_LINES} lines are announced with one delivery.", "packages")
        if too_much := more_than_counts(self.model_dump()["packages"], "lines"):
            said = f"Of {too_much}, more is announced than is counted: {MOST_QUANTITY:f} or more."
            raise WrongFields(said, "packages")
        return self


class ArrivalBody(Body):
    """When it came to the door."""

    arrived_at: MomentOrDay | None = None
    """When, a plain day from its first moment on: not in the future, and not over a year ago; now when left out."""


class ScanBody(Body):
    """A parcel that is here."""

    sscc: Sscc
    """The number on the label of the parcel that was scanned."""
    lines: Goods | None = None
    """What is in it, all of it, where that is not what was announced; null for what was."""
