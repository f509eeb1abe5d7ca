"""Announcing what left, and taking in what comes. Nothing here moves stock: who puts goods away books their receipt against what came, with what
they cost."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from shipping.asns.bodies import NewAsn, ScanBody
from shipping.asns.counting import check_counted
from shipping.asns.models import Asn
from shipping.dates import MOVED, check_last_days, dates, moved
from shipping.models import Shipment
from shipping.projections import days
from tailrace.core import clock
from tailrace.core.ids import derived_id, uuid7
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("asn", "ASN-{number:06}")
_LATEST_EXPECTED = timedelta(days=3660)


async def announce_shipment(tx: Tx, shipment: Shipment) -> None:
    """Tell who ordered which parcels left; nothing of parcels without a number, which nobody could scan."""
    names = {str(line.line_id): {"sku": line.sku, "name": line.name} for line in shipment.lines}
    packages = [
        {
            "sscc": package.sscc,
            "weight_grams": package.weight_grams,
            "lines": [{**names[line["line_id"]], **_without_id(line)} for line in package.lines],
            "received": None,
        }
        for package in shipment.packages
        if package.sscc is not None
    ]
    if packages:
        told = Asn(
            id=derived_id(tx.tenant_id, "asn", shipment.id),
            number=await NUMBERS.next(tx),
            direction="outbound",
            partner_name=shipment.customer_name,
            reference=shipment.customer_reference,
            shipment_id=shipment.id,
            expected_on=None,
            status="sent",
            packages=packages,
        )
        told.announce()
        tx.add(told)


async def announce(tx: Tx, said: NewAsn) -> Asn:
    """A supplier's delivery is to come. Raises AlreadyAnnounced, Implausible, Inexact."""
    await check_counted(
        tx,
        (
            (f"/packages/{at}/lines/{number}", line)
            for at, package in enumerate(said.packages)
            for number, line in enumerate(package.lines)
        ),
    )
    for at, package in enumerate(said.packages):
        await check_last_days(tx, [line.expires_on for line in package.lines], f"/packages/{at}/lines")
    if said.expected_on is not None:
        today = await days.today(tx)
        bounds = await dates.days(tx, "expected_delivery", today, today - MOVED.back, today + _LATEST_EXPECTED)
        checked_day(said.expected_on, *bounds, "/expected_on")
    packages = said.model_dump(mode="json", include={"packages"})["packages"]
    asn = Asn(
        id=uuid7(),
        number=await NUMBERS.next(tx),
        direction="inbound",
        partner_name=said.supplier_name,
        reference=said.reference,
        shipment_id=None,
        expected_on=said.expected_on,
        status="announced",
        packages=[{**package, "received": None} for package in packages],
    )
    asn.announce()
    tx.add(asn)
    return asn


async def arrive(tx: Tx, asn_id: UUID, match: int | None, at: datetime | date | None) -> Asn:
    """Raises Unknown, AsnState, Implausible."""
    when = await moved(tx, at, "/arrived_at")
    asn = await tx.load(Asn, asn_id, match)
    asn.arrive(when)
    return asn


async def scan(tx: Tx, asn_id: UUID, match: int | None, said: ScanBody) -> Asn:
    """Raises Unknown, AsnState, AlreadyScanned, Implausible, Inexact, Invalid."""
    await check_counted(tx, ((f"/lines/{number}", line) for number, line in enumerate(said.lines or ())))
    await check_last_days(tx, [line.expires_on for line in said.lines or ()], "/lines")
    asn = await tx.load(Asn, asn_id, match)
    asn.scan(said.sscc, said.model_dump(mode="json")["lines"])
    return asn


async def receive(tx: Tx, asn_id: UUID, match: int | None) -> Asn:
    """Raises Unknown, AsnState."""
    asn = await tx.load(Asn, asn_id, match)
    asn.receive(clock.now())
    return asn


def _without_id(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "line_id"}
