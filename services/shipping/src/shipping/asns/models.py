"""A notice, from the announcement to the last parcel. Parcels are kept as JSON: `{"sscc", "weight_grams", "lines", "received"}`.

`lines` are those that were announced, none of a parcel that nobody expected; `received` those that were found, null until it is scanned.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts import asns as events
from contracts.asns import Direction
from shipping.asns.refusals import AlreadyAnnounced, AlreadyScanned, AsnState
from shipping.base import Base
from tailrace.core.errors import Invalid
from tailrace.core.transitions import Transitions
from tailrace.core.values.text import folded
from tailrace.core.values.units import MOST_QUANTITY
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value

Status = Literal["sent", "announced", "arrived", "received"]
STATES = Transitions[Status](
    "Delivery",
    {
        "sent": {},
        "announced": {"arrived": "arrived"},
        "arrived": {"scanned": "arrived", "received": "received"},
        "received": {},
    },
    AsnState,
)
MOST_LINES = 2000
"""Of all parcels of a delivery together, which travel whole in one event."""
Lines = Sequence[dict[str, Any]]
_Key = tuple[str, str]


class Asn(Aggregate, Base):
    """`sent` is ours, to who ordered; the other states are those of what a supplier sends."""

    __tablename__ = "asn"
    __table_args__ = (
        unique_value("number"),
        unique_value(
            "partner_key",
            "reference_key",
            refusal=AlreadyAnnounced,
            where="direction = 'inbound'",
            field="reference",
        ),
        tenant_index("shipment_id"),
        tenant_index("status", "id"),
        tenant_index("created_at", "id"),
    )

    number: Mapped[str]
    direction: Mapped[Direction]
    partner_name: Mapped[str]
    """Who sends, or who is sent to."""
    reference: Mapped[str]
    """What they call it."""
    partner_key: Mapped[str]
    reference_key: Mapped[str]
    """What these two have in common with every other spelling of them."""
    expected_on: Mapped[date | None]
    shipment_id: Mapped[UUID | None]
    status: Mapped[Status]
    arrived_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    packages: Mapped[list[dict[str, Any]]]

    def announce(self) -> None:
        self.partner_key, self.reference_key = folded(self.partner_name), folded(self.reference)
        self.record_as(events.AsnCreated)

    def arrive(self, at: datetime) -> None:
        """Raises AsnState."""
        self.status, self.arrived_at = self._after("arrived"), at
        self.record_as(events.AsnArrived)

    def scan(self, sscc: str, found: Lines | None) -> None:
        """A parcel is here, with what was announced of it unless something else was found. Raises AsnState, AlreadyScanned, Invalid."""
        self.status = self._after("scanned")
        known = next((each for each in self.packages if each["sscc"] == sscc), None)
        if known is not None and known["received"] is not None:
            raise AlreadyScanned(f"Parcel {sscc} of delivery {self.number} was scanned before.", field="/sscc")
        if known is None and found is None:
            raise Invalid.field(
                "/lines", f"Nobody announced parcel {sscc} with delivery {self.number}: say what is in it."
            )
        package = known or {"sscc": sscc, "weight_grams": None, "lines": []}
        scanned = {**package, "received": list(package["lines"] if found is None else found)}
        if sum(len(each["received"] or ()) for each in self.packages) + len(scanned["received"]) > MOST_LINES:
            raise Invalid.field("/lines", f"At most {MOST_LINES} lines are taken in with one delivery.")
        if too_much := more_than_counts([*self.packages, scanned], "received"):
            raise Invalid.field(
                "/lines", f"Of {too_much}, more came with one delivery than is counted: {MOST_QUANTITY:f} or more."
            )
        others = [each for each in self.packages if each["sscc"] != sscc]
        self.packages = [scanned if each is known else each for each in self.packages] if known else [*others, scanned]
        self.record_as(events.AsnScanned, package=_found(scanned), announced=known is not None)

    def receive(self, at: datetime) -> None:
        """All that came was scanned. Raises AsnState."""
        self.status, self.received_at = self._after("received"), at
        packages = [_found(each) for each in self.packages if each["received"] is not None]
        self.record_as(events.AsnReceived, packages=packages, differences=self.differences)

    @property
    def differences(self) -> list[events.AsnDifference]:
        """From what was announced, by parcel, item and lot, as far as it was scanned by now; none before it has arrived."""
        if self.status not in {"arrived", "received"}:
            return []
        found = []
        for package in self.packages:
            announced, received = _sums(package["lines"]), _sums(package["received"] or ())
            # As the supplier spelled it, where it was announced.
            called = {**_called(package["received"] or ()), **_called(package["lines"])}
            for key, (sku, lot) in sorted(called.items(), key=lambda each: (each[1][0], each[1][1] or "")):
                quantities = announced.get(key, Decimal(0)), received.get(key, Decimal(0))
                if quantities[0] != quantities[1]:
                    of = {"sscc": package["sscc"], "sku": sku, "lot": lot}
                    found.append(events.AsnDifference(**of, announced=quantities[0], received=quantities[1]))
        return found

    def _after(self, step: str) -> Status:
        return STATES.after(self.status, step, self.number)


def more_than_counts(packages: Iterable[Mapping[str, Any]], what: str) -> str | None:
    """The item of which all `packages` together hold more than a quantity may be; None when there is none."""
    lines = [line for package in packages for line in package[what] or ()]
    called = _called(lines)
    return next((called[key][0] for key, quantity in _sums(lines).items() if quantity >= MOST_QUANTITY), None)


def _found(package: dict[str, Any]) -> dict[str, Any]:
    return {"sscc": package["sscc"], "weight_grams": package["weight_grams"], "lines": package["received"]}


def _sums(lines: Lines) -> dict[_Key, Decimal]:
    sums: dict[_Key, Decimal] = {}
    for line in lines:
        sums[_key(line)] = sums.get(_key(line), Decimal(0)) + Decimal(line["quantity"])
    return sums


def _called(lines: Lines) -> dict[_Key, tuple[str, str | None]]:
    """Item and lot as the first of their lines spells them."""
    return {_key(line): (line["sku"], line.get("lot")) for line in reversed(lines)}


def _key(line: Mapping[str, Any]) -> _Key:
    """What item and lot have in common with every other spelling of them."""
    return folded(line["sku"]), folded(line.get("lot") or "")
