"""Who sells an order, and who subscribed to it, hear how it goes on; whose KPI missed its target is told once."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest

from contracts.analytics import KpiCreated, KpiUpdated
from contracts.carriage import BookingTracked, TrackedStep
from contracts.invoices import InvoicePaid
from contracts.orders import (
    OrderAssigned,
    OrderCancelled,
    OrderConfirmed,
    OrderCreated,
    OrderReinstated,
    OrderShipmentProgressed,
)
from contracts.shipments import ShipmentCreated, ShipmentDelivered
from contracts.users import RoleChanged, TeamCreated
from tailrace.core.ids import uuid7

from .conftest import OWN, SUBSCRIPTIONS, Office

DAY = date(2026, 11, 28)
NOON = datetime(2026, 11, 28, 3, tzinfo=UTC)


class Desk:
    """An order of Ada's that Cy sells, and what becomes of it. Bo subscribed to it. Whatever happens, Ann does it."""

    scopes: ClassVar[str] = f"{OWN} orders:read shipping:read invoices:read kpis:read"

    def __init__(self, office: Office) -> None:
        self.office = office
        self.order_id = uuid7()
        self.whole: dict[str, Any] = {
            "order_id": self.order_id,
            "number": "SO-7",
            "customer_reference": "PO 7",
            "customer_name": "Ada Works",
            "customer_id": office.ada,
            "owner_id": office.cy,
            "currency": "JPY",
            "net": 100,
            "tax": 10,
            "lines": [],
            "ordered_at": NOON,
        }

    async def begin(self) -> None:
        role = RoleChanged(role_id=uuid7(), name="manager", scopes=self.scopes.split())
        await self.office.h.deliver(role, aggregate_id=role.role_id)
        await self.tell(OrderCreated(**self.whole))
        bo = self.office.as_(self.office.bo, self.scopes)
        made = await bo.post(SUBSCRIPTIONS, json={"document_id": str(self.order_id)})
        assert made.status_code == 201, made.text

    async def tell(self, event: Any) -> None:
        await self.office.h.deliver(event, aggregate_id=self.order_id)

    async def ship(self, number: str | None = "SH-7") -> UUID:
        shipment_id = uuid7()
        if number is not None:
            made = ShipmentCreated(
                shipment_id=shipment_id,
                order_id=self.order_id,
                number=number,
                reservation_id=uuid7(),
                currency="JPY",
                customer_name="Ada Works",
                lines=[],
            )
            await self.office.h.deliver(made, aggregate_id=shipment_id)
        arrived = ShipmentDelivered(shipment_id=shipment_id, order_id=self.order_id, delivered_at=NOON)
        await self.office.h.deliver(arrived, aggregate_id=shipment_id)
        return shipment_id

    async def track(self, shipment_id: UUID, state: Any, said: Any = None) -> None:
        """The carrier says something of a shipment, which is in `state` by all that it has said."""
        step = TrackedStep(reference="a", state=said or state, at=NOON)
        event = BookingTracked(
            booking_id=uuid7(), shipment_id=shipment_id, order_id=self.order_id, state=state, steps=[step]
        )
        await self.office.h.deliver(event, aggregate_id=event.booking_id)

    async def heard(self, user: UUID) -> list[tuple[str, str]]:
        return [(one["kind"], one["text"]) for one in await self.office.feed(user)]


@pytest.fixture
async def desk(office: Office) -> Desk:
    desk = Desk(office)
    await desk.begin()
    return desk


async def test_who_sells_an_order_and_who_subscribed_to_it_hear_how_it_goes_on(desk: Desk) -> None:
    cy, bo = desk.office.cy, desk.office.bo
    await desk.tell(OrderConfirmed(**desk.whole))
    for shipment in ("partial", "full"):
        await desk.tell(OrderShipmentProgressed(order_id=desk.order_id, shipment=shipment, lines=[]))
    await desk.tell(OrderCancelled(order_id=desk.order_id, reason="No {need}"))
    await desk.tell(OrderReinstated(order_id=desk.order_id, reason="Gone"))
    told = [
        ("order.confirmed", "Ada Works の受注 SO-7 が確定しました。"),
        ("order.shipped", "Ada Works の受注 SO-7 の出荷・役務提供がすべて完了しました。"),
        ("order.cancelled", "Ada Works の受注 SO-7 が取り消されました。理由: No {need}"),
        ("order.cancelled", "Ada Works の受注 SO-7 は確定に戻りました。理由: Gone"),
    ]
    assert (await desk.heard(cy), await desk.heard(bo)) == (told, told)
    assert await desk.heard(desk.office.h.user) == []
    shown = (await desk.office.feed(bo))[-1]
    assert (shown["link"], shown["customer_id"]) == (f"/v1/orders/{desk.order_id}", str(desk.office.ada))


async def test_who_sells_it_now_is_told_unless_they_did_it_themselves(desk: Desk) -> None:
    eve, cy, ann = uuid7(), desk.office.cy, desk.office.h.user
    given: dict[str, Any] = {"order_id": desk.order_id, "number": "SO-7", "reason": "Leave"}
    await desk.tell(OrderAssigned(**given, owner_id=eve, previous_owner_id=cy))
    await desk.tell(OrderCancelled(order_id=desk.order_id, reason="No"))
    assert ([kind for kind, _ in await desk.heard(eve)], await desk.heard(cy)) == (["order.cancelled"], [])
    await desk.tell(OrderAssigned(**given, owner_id=ann, previous_owner_id=eve))
    await desk.tell(OrderShipmentProgressed(order_id=desk.order_id, shipment="full", lines=[]))
    assert (await desk.heard(ann), len(await desk.heard(eve))) == ([], 1)


async def test_what_arrives_and_is_paid_is_told_to_subscribers_alone_those_of_the_order_too(desk: Desk) -> None:
    shipment_id = await desk.ship()
    paid = InvoicePaid(
        invoice_id=uuid7(),
        number="IN-7",
        customer_id=desk.office.ada,
        currency="JPY",
        paid=110,
        credited=0,
        open=0,
        orders=[{"order_id": desk.order_id, "net": 100, "tax": 10}],
        day=DAY,
    )
    await desk.office.h.deliver(paid, aggregate_id=paid.invoice_id)
    assert await desk.heard(desk.office.bo) == [
        ("shipment.delivered", "Ada Works への出荷 SH-7 が 2026-11-28 12:00 に配達されました。"),
        ("invoice.paid", "Ada Works の請求書 IN-7 が入金されました。"),
    ]
    assert (await desk.office.feed(desk.office.bo))[0]["link"] == f"/v1/shipments/{shipment_id}"


async def test_who_sells_it_hears_of_a_parcel_in_trouble(desk: Desk) -> None:
    shipment_id, office = await desk.ship(), desk.office
    for state, said in (("out_for_delivery", None), ("returned", None), ("returned", "picked_up")):
        await desk.track(shipment_id, state, said)
    told = ("shipment.in_trouble", "Ada Works への出荷 SH-7 について配送業者からの連絡: 返送されました")
    assert (await desk.heard(office.cy), (await desk.heard(office.bo))[1:]) == ([told], [told])


async def test_who_subscribed_to_an_order_hears_of_its_parcel_in_trouble(desk: Desk) -> None:
    kinds = ["shipment.delivered", "shipment.in_trouble"]
    await desk.track(await desk.ship(), "lost")
    heard = await desk.heard(desk.office.bo)
    assert ([kind for kind, _ in heard], heard[1][1]) == (
        kinds,
        "Ada Works への出荷 SH-7 について配送業者からの連絡: 紛失しました",
    )
    desk.order_id = uuid7()
    await desk.track(await desk.ship("SH-8"), "lost")
    assert await desk.heard(desk.office.bo) == heard, "another order's is no news to them"


async def test_sales_is_not_told_of_each_delivery_without_asking(desk: Desk) -> None:
    await desk.ship()
    assert await desk.heard(desk.office.cy) == []


async def test_a_document_that_nothing_is_known_of_is_told_of_by_its_id(desk: Desk) -> None:
    shipment_id = await desk.ship(number=None)
    ((_, text),) = await desk.heard(desk.office.bo)
    assert text == f"Ada Works への出荷 {shipment_id} が 2026-11-28 12:00 に配達されました。"


class Kpi:
    """A KPI of somebody's, as it is measured."""

    def __init__(self, office: Office, **whose: Any) -> None:
        self.office, self.whose = office, whose
        self.kpi_id, self.result_id = uuid7(), uuid7()

    async def measured(self, **found: Any) -> None:
        said = {"value": 8, "state": "missed", "previous_state": None, "over": True, **found}
        event = KpiUpdated(
            kpi_result_id=self.result_id,
            kpi_id=self.kpi_id,
            code="SALES-11",
            measure="orders_confirmed",
            begins_on=date(2026, 11, 1),
            ends_on=date(2026, 11, 30),
            target=10,
            as_of=NOON,
            **said,
            **self.whose,
        )
        await self.office.h.deliver(event, aggregate_id=self.result_id)


async def test_whose_kpi_ended_below_its_target_is_told_once_however_often_it_is_measured(office: Office) -> None:
    kpi = Kpi(office, subject="person", subject_id=office.cy)
    await kpi.measured(over=False)
    await kpi.measured(state="met", value=10)
    assert await office.feed(office.cy) == [], "what is not over, and what met its target, is no news"
    await kpi.measured(state="near", value=9)
    await kpi.measured()
    (one,) = await office.feed(office.cy)
    assert (one["title"], one["text"]) == (
        "目標未達: SALES-11",
        "2026-11-01 から 2026-11-30 までの SALES-11 は目標に届きませんでした。",
    )
    assert one["link"] == f"/v1/kpis/{kpi.kpi_id}"
    kpi.result_id = uuid7()
    await kpi.measured()
    assert len(await office.feed(office.cy)) == 2, "another period is news of its own"


async def test_a_teams_kpi_is_told_to_its_people_and_the_companys_to_subscribers_alone(office: Office) -> None:
    team = TeamCreated(team_id=uuid7(), name="West", lead_id=office.bo, member_ids=[office.cy])
    await office.h.deliver(team, aggregate_id=team.team_id)
    await Kpi(office, subject="team", subject_id=team.team_id).measured()
    assert [len(await office.feed(each)) for each in (office.bo, office.cy, office.h.user)] == [1, 1, 0]
    role = RoleChanged(role_id=uuid7(), name="manager", scopes=["kpis:read"])
    await office.h.deliver(role, aggregate_id=role.role_id)
    kpi = Kpi(office, subject="company")
    definition = {"name": "Sales", "measure": "orders_confirmed", "period": "month", "direction": "up"}
    made = KpiCreated(kpi_id=kpi.kpi_id, code="SALES-11", subject="company", target=10, near=9, **definition)
    await office.h.deliver(made, aggregate_id=kpi.kpi_id)
    bo = office.as_(office.bo, f"{OWN} kpis:read")
    assert (await bo.post(SUBSCRIPTIONS, json={"document_id": str(kpi.kpi_id)})).status_code == 201
    await kpi.measured()
    assert [len(await office.feed(each)) for each in (office.bo, office.cy, office.h.user)] == [2, 1, 0]
