"""Quotes in a company with a catalog: a bolt in pieces and boxes, flour in kilograms, a price list, and a customer who buys by it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from approvals import answer

from contracts import catalog, customers, inventory, opportunities, users
from contracts.approvals import ApprovalEvent, ApprovalSubject
from contracts.quotes import QuoteSubmitted
from quotes.service import service
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness, today

AT = "/v1/quotes"


@dataclass
class Desk:
    """A sales desk: the harness, what is known of others, and what they answer."""

    h: Harness
    bolt: UUID = field(default_factory=uuid7)
    flour: UUID = field(default_factory=uuid7)
    hour: UUID = field(default_factory=uuid7)
    north: UUID = field(default_factory=uuid7)
    retail: UUID = field(default_factory=uuid7)
    code: UUID = field(default_factory=uuid7)
    policy: UUID = field(default_factory=uuid7)
    ada: UUID = field(default_factory=uuid7)
    person: UUID = field(default_factory=uuid7)

    async def open(self) -> None:
        for code, dimension, decimals in (("kg", "mass", 3), ("pcs", "pcs", 0), ("h", "h", 2)):
            unit = catalog.UnitCreated(
                unit_id=uuid7(), code=code, name=code, dimension=dimension, factor=Decimal(1), decimals=decimals
            )
            await self.h.deliver(unit, aggregate_id=unit.unit_id)
        await self.tax_code("S", ("2020-01-01", "0.1"))
        await self.item(self.bolt, "BOLT", code=self.code, box="12")
        await self.item(self.flour, "FLOUR", unit="kg", tax="0.08")
        await self.item(self.hour, "HOUR", unit="h", tax="0.1", kind="service")
        north = catalog.WarehouseCreated(warehouse_id=self.north, code="N", name="North")
        await self.h.deliver(north, aggregate_id=self.north)
        await self.prices(("1", "150"), ("10", "120.5"))
        joined = users.TenantCreated(tenant_id=self.h.tenant, slug="acme", name="Acme Ltd", currency="EUR")
        await self.h.deliver(joined, aggregate_id=self.h.tenant)
        await self.customer(self.ada, "C-1", "Ada Works")

    async def item(self, id: UUID, sku: str, **given: Any) -> None:
        box, tax = given.get("box"), given.get("tax")
        told = catalog.ItemUpdated(
            item_id=id,
            sku=sku,
            name=sku.title(),
            kind=given.get("kind", "stock"),
            unit=given.get("unit", "pcs"),
            tax_rate=None if tax is None else Decimal(tax),
            tax_code_id=given.get("code"),
            conversions=[catalog.UnitConversion(unit="box", factor=Decimal(box))] if box else [],
        )
        await self.h.deliver(told, aggregate_id=id)

    async def tax_code(self, name: str, *rates: tuple[str, str]) -> None:
        dated = [{"valid_from": day, "rate": rate} for day, rate in rates]
        told = catalog.TaxCodeUpdated(tax_code_id=self.code, code=name, name=name, rates=dated, roundings=[])
        await self.h.deliver(told, aggregate_id=self.code)

    async def round_by(self, level: Any, mode: Any) -> None:
        rounding = catalog.DatedRounding(valid_from=date(1900, 1, 1), level=level, mode=mode)
        told = catalog.TaxPolicyUpdated(tax_policy_id=self.policy, roundings=[rounding])
        await self.h.deliver(told, aggregate_id=self.policy)

    async def prices(self, *breaks: tuple[str, str], **given: Any) -> None:
        """The price list, of bolts by breaks and of flour at 80, valid at any time unless `given` says otherwise."""
        listed = [(self.bolt, least, price) for least, price in breaks] + [(self.flour, "0.001", "80")]
        prices = [
            catalog.Price(item_id=item, min_quantity=Decimal(least), unit_price=Decimal(price))
            for item, least, price in listed
        ]
        described = {"code": "RETAIL", "name": "Retail", "currency": "EUR", "valid_from": None, "valid_until": None}
        told = catalog.PriceListUpdated(price_list_id=self.retail, prices=prices, **{**described, **given})
        await self.h.deliver(told, aggregate_id=self.retail)

    async def customer(self, id: UUID, number: str, name: str, **given: Any) -> None:
        address = customers.PostalAddress(
            use="billing", lines=["12 Analytical Row"], city="Ockham", postal_code="KT1", country="GB"
        )
        person = customers.Person(person_id=self.person, name="Bo Buyer")
        told = customers.CustomerUpdated(
            customer_id=id,
            number=number,
            name=name,
            **{
                "kind": "company",
                "status": "active",
                "currency": "EUR",
                "payment_terms_days": 14,
                "price_list_id": self.retail,
                "addresses": [address],
                "people": [person],
                **given,
            },
        )
        await self.h.deliver(told, aggregate_id=id)

    async def opportunity(self, customer: UUID | None = None, status: Any = "open", id: UUID | None = None) -> UUID:
        """One of Ada's, unless another customer is said; it is so by now."""
        told = opportunities.OpportunityUpdated(
            opportunity_id=id or uuid7(),
            number="O-1",
            name="A bridge",
            status=status,
            customer_id=customer or self.ada,
            pipeline_id=uuid7(),
            stage="S",
            amount=0,
            currency="EUR",
            category="pipeline",
            expected_close_on=today(),
        )
        await self.h.deliver(told, aggregate_id=told.opportunity_id)
        return told.opportunity_id

    async def role(self, name: str, *scopes: str, id: UUID | None = None) -> UUID:
        """A role that grants these scopes; one without any is gone."""
        told = users.RoleChanged(role_id=id or uuid7(), name=name, scopes=list(scopes))
        await self.h.deliver(told, aggregate_id=told.role_id)
        return told.role_id

    async def join(self) -> None:
        """The caller is a user who is known here."""
        told = users.UserCreated(user_id=self.h.user, email="me@acme.example", name="Me", roles=["sales"])
        await self.h.deliver(told, aggregate_id=self.h.user)

    async def came_in(self, item: UUID, quantity: str, value: int, days_ago: int = 0) -> None:
        stream = uuid7()
        told = inventory.StockReceived(
            item_id=item,
            warehouse_id=self.north,
            layer_id=uuid7(),
            quantity=Decimal(quantity),
            value=value,
            currency="EUR",
            reason="purchase",
            effective_at=datetime.now(UTC) - timedelta(days=days_ago),
        )
        await self.h.deliver(told, aggregate_id=stream)

    def line(self, **given: Any) -> dict[str, Any]:
        return {"item_id": str(self.bolt), "quantity": "10", **given}

    def text(self, name: str, **given: Any) -> dict[str, Any]:
        return {"kind": "text", "name": name, **given}

    def body(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        said = {"customer_id": str(self.ada), "warehouse_id": str(self.north)}
        return {**said, "lines": list(lines) or [self.line()], **given}

    async def create(self, *lines: dict[str, Any], status: int = 201, **given: Any) -> dict[str, Any]:
        made = await self.h.client.post(AT, json=self.body(*lines, **given))
        assert made.status_code == status, made.text
        return dict(made.json())

    async def act(self, quote: dict[str, Any], action: str, status: int = 200, **body: Any) -> dict[str, Any]:
        made = await self.h.client.post(f"{AT}/{quote['id']}/{action}", json=body or None)
        assert made.status_code == status, made.text
        return dict(made.json())

    async def put(self, quote: dict[str, Any], *lines: dict[str, Any], status: int = 200, **given: Any) -> Any:
        made = await self.h.client.put(f"{AT}/{quote['id']}", json=self.body(*lines, **given))
        assert made.status_code == status, made.text
        return made.json()

    async def read(self, quote: dict[str, Any]) -> dict[str, Any]:
        return dict((await self.h.client.get(f"{AT}/{quote['id']}")).json())

    async def sent(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        quote = await self.create(*lines, **given)
        submitted = await self.act(quote, "submit")
        assert submitted["status"] == "approved", submitted
        return await self.act(quote, "send")

    async def waiting(self, *lines: dict[str, Any], **given: Any) -> dict[str, Any]:
        """A quote above everybody's authority, which waits for an approval."""
        quote = await self.create(*(lines or (self.line(discount_rate="0.2"),)), **given)
        submitted = await self.act(quote, "submit")
        assert submitted["status"] == "in_approval", submitted
        return submitted

    async def subject(self) -> ApprovalSubject:
        """Of the newest submission."""
        (*_, submitted) = await self.h.published(QuoteSubmitted)
        return submitted.event.subject

    async def decide(self, kind: type[ApprovalEvent], subject: ApprovalSubject, **said: Any) -> None:
        told = answer(kind, subject, **said)
        await self.h.deliver(told, aggregate_id=told.approval_id)

    async def link(self, quote: dict[str, Any], status: int = 200) -> str:
        made = await self.h.client.get(f"{AT}/{quote['id']}/link")
        assert made.status_code == status, made.text
        return str(made.json()["path"]) if status == 200 else ""

    async def limit(self, *limits: dict[str, Any], status: int = 200) -> Any:
        made = await self.h.client.put(f"{AT}/authority", json={"limits": list(limits)})
        assert made.status_code == status, made.text
        return made.json()

    async def types(self) -> list[str]:
        return [one.type for one in await self.h.published()]


@pytest.fixture
async def desk(make_harness: MakeHarness) -> Desk:
    desk = Desk(await make_harness(service))
    async with desk.h.together():
        await desk.open()
    return desk
