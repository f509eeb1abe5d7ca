"""A company that invoices: a customer who ordered, goods that left, and what is asked of accounting about it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounting.invoices.schedules import invoice_next
from contracts import catalog, customers, orders, users
from contracts.shipments import DispatchedLine, ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace.core.values.taxes import Levy, tax_lines
from tailrace_testing import Harness

V1 = "/v1/accounting"
ISSUER = {
    "name": "Hagane Works Ltd",
    "lines": ["1 Mill Lane"],
    "city": "Hamburg",
    "postal_code": "20095",
    "country": "DE",
    "tax_id": "DE123456788",
    "electronic_address": "9930:DE123456788",
    "payment_instructions": "Please pay by credit transfer.",
}
ADDRESS = customers.PostalAddress(
    use="billing", lines=["12 Analytical Row"], city="Lyon", postal_code="69001", country="FR"
)


@dataclass
class Ordered:
    """An order that binds: what its lines are, and how much of each has left."""

    event: orders.OrderConfirmed
    left: dict[UUID, Decimal] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.event.order_id


@dataclass
class Billing:
    """The harness, and one customer."""

    h: Harness
    ada: UUID = field(default_factory=uuid7)
    count: int = 0

    async def open(self, currency: str = "EUR") -> None:
        joined = users.TenantCreated(
            tenant_id=self.h.tenant, slug="hagane", name="Hagane Works", currency=currency, country="DE"
        )
        await self.h.deliver(joined, aggregate_id=self.h.tenant)
        await self.customer(self.ada, "C-1", "Ada Works")
        await self.put("/billing", issuer=ISSUER)

    async def customer(self, id: UUID, number: str, name: str, **given: Any) -> UUID:
        said: dict[str, Any] = {"kind": "company", "status": "active", "currency": "EUR", "payment_terms_days": 14}
        told = customers.CustomerUpdated(
            customer_id=id, number=number, name=name, **{**said, "addresses": [ADDRESS], "language": "en", **given}
        )
        await self.h.deliver(told, aggregate_id=id)
        return id

    async def tax_code(self, code: str, *rates: tuple[date, str], id: UUID | None = None) -> UUID:
        """The company has a tax code, with these rates from their days on; of `id`, where that was there before."""
        told = catalog.TaxCodeUpdated(
            tax_code_id=id or uuid7(),
            code=code,
            name=code,
            rates=[catalog.DatedRate(valid_from=day, rate=Decimal(rate)) for day, rate in rates],
        )
        await self.h.deliver(told, aggregate_id=told.tax_code_id)
        return told.tax_code_id

    async def unit(self, code: str, decimals: int, id: UUID | None = None) -> UUID:
        """The company has a unit of measure that is so fine; of `id`, where that was there before."""
        told = catalog.UnitUpdated(
            unit_id=id or uuid7(), code=code, name=code, dimension=code, factor=Decimal(1), decimals=decimals
        )
        await self.h.deliver(told, aggregate_id=told.unit_id)
        return told.unit_id

    async def order(self, *lines: tuple[str, int, str], **given: Any) -> Ordered:
        """Lines are quantity, net amount and rate of tax; the tax is rounded once for each rate."""
        self.count += 1
        taxes = tax_lines([(net, Levy(None, Decimal(rate))) for _, net, rate in lines])
        said = [
            orders.OrderLine(
                line_id=uuid7(),
                item_id=uuid7(),
                sku=f"SKU-{at}",
                name=f"Plate {at}",
                warehouse_id=uuid7(),
                quantity=Decimal(quantity),
                unit="pcs",
                decimals=1,
                unit_price=round(Decimal(net) / Decimal(quantity), 6),
                net=net,
                tax_rate=Decimal(rate),
                tax=tax,
            )
            for at, ((quantity, net, rate), tax) in enumerate(zip(lines, taxes, strict=True), 1)
        ]
        told: dict[str, Any] = {"customer_id": self.ada, "customer_name": "Ada Works", "currency": "EUR", **given}
        event = orders.OrderConfirmed(
            order_id=uuid7(),
            number=f"SO-{self.count:06}",
            customer_reference=f"PO-{self.count}",
            net=sum(line.net for line in said),
            tax=sum(line.tax for line in said),
            lines=said,
            ordered_at=datetime(2026, 11, 1, tzinfo=UTC),
            **told,
        )
        await self.h.deliver(event, aggregate_id=event.order_id)
        return Ordered(event)

    async def ship(self, order: Ordered, *quantities: str, at: datetime | None = None) -> UUID:
        """So much of each line leaves; all that is left of the order when nothing is said."""
        lines = []
        for place, line in enumerate(order.event.lines):
            before = order.left.get(line.line_id, Decimal(0))
            quantity = Decimal(quantities[place]) if quantities else line.quantity - before
            if quantity:
                order.left[line.line_id] = before + quantity
                lines.append(_dispatched(line, quantity, before))
        event = ShipmentDispatched(
            shipment_id=uuid7(),
            order_id=order.id,
            reservation_id=uuid7(),
            number=f"{order.event.number}-{len(order.left)}-{uuid7().hex[-4:]}",
            currency=order.event.currency,
            lines=lines,
            dispatched_at=at or datetime.now(UTC),
        )
        await self.h.deliver(event, aggregate_id=event.shipment_id)
        return event.shipment_id

    async def post(self, path: str, status: int = 201, /, **body: Any) -> dict[str, Any]:
        made = await self.h.client.post(f"{V1}{path}", json=body)
        assert made.status_code == status, made.text
        return dict(made.json())

    async def put(self, path: str, status: int = 200, /, **body: Any) -> dict[str, Any]:
        made = await self.h.client.put(f"{V1}{path}", json=body)
        assert made.status_code == status, made.text
        return dict(made.json())

    async def get(self, path: str, status: int = 200, /, **query: Any) -> dict[str, Any]:
        said = await self.h.client.get(f"{V1}{path}", params=query)
        assert said.status_code == status, said.text
        return dict(said.json())

    async def close(self, day: date) -> None:
        """The night after a day, to its end: what is invoiced by itself is."""
        behind = None
        while True:
            async with self.h.tx() as tx:
                behind = await invoice_next(tx, day, behind)
            if behind is None:
                return

    async def issue(self, invoice: dict[str, Any], **body: Any) -> dict[str, Any]:
        return await self.post(f"/invoices/{invoice['id']}/issue", 200, **body)

    async def invoiced(self, *lines: tuple[str, int, str], **body: Any) -> dict[str, Any]:
        """An issued invoice of an order that left whole, on the day that it is of."""
        order = await self.order(*(lines or (("10", 10_000, "0.1"),)))
        shipment = await self.ship(order, at=beginning(body["dated"]) if "dated" in body else None)
        return await self.issue(await self.post("/invoices", shipment_ids=[str(shipment)]), **body)

    async def read(self, invoice: dict[str, Any]) -> dict[str, Any]:
        return await self.get(f"/invoices/{invoice['id']}")

    async def bank(self, currency: str = "EUR", **given: Any) -> str:
        """An account at a bank, which is an account of the chart of its own."""
        self.count += 1
        code = f"10{self.count:02}"
        await self.post("/accounts", code=code, name=f"Bank {code}", kind="asset")
        made = await self.post(
            "/bank-accounts", code=f"B-{code}", name="House bank", currency=currency, account=code, **given
        )
        return str(made["id"])

    async def pay(self, bank: str, amount: int, *invoices: dict[str, Any], **given: Any) -> dict[str, Any]:
        allocations = [{"invoice_id": each["id"]} for each in invoices]
        return await self.post("/payments", bank_account_id=bank, amount=amount, allocations=allocations, **given)

    async def balances(self, currency: str = "EUR") -> dict[str, int]:
        """Debits less credits by account code, after everything that was published has been heard; of a whole set of books."""
        await self.h.pump()
        trial = await self.get("/trial-balance", currency=currency)
        integrity = await self.get("/integrity")
        assert integrity["intact"], integrity
        return {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]}

    async def types(self, prefix: str = "accounting.") -> list[str]:
        return [each.type for each in await self.h.published() if each.type.startswith(prefix)]


def _dispatched(line: orders.OrderLine, quantity: Decimal, before: Decimal) -> DispatchedLine:
    return DispatchedLine(
        line_id=line.line_id,
        item_id=line.item_id,
        sku=line.sku,
        name=line.name,
        warehouse_id=line.warehouse_id,
        quantity=quantity,
        line_quantity=line.quantity,
        line_net=line.net,
        line_tax=line.tax,
        dispatched_before=before,
    )


def beginning(day: str) -> datetime:
    """Of a day of a company that keeps UTC."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")
