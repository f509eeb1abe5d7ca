"""A trading company over the real services of orders, stock, shipments and books, that does everything at once and notes what was accepted."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from wire import Wire

from contracts import catalog
from tailrace.core.ids import uuid7
from tailrace.db.error_classes import is_transient
from tailrace_testing import Harness

Place = tuple[str, str]
TAX = Decimal("0.1")
SMALLEST = Decimal("0.001")
_ZONES = ("Pacific/Honolulu", "Etc/UTC", "Pacific/Kiritimati")
ALLOWED = {200, 201, 409}
"""A command is carried out, or refused for the state of things; it never fails."""
ATTEMPTS = 5
"""Where a lock is waited for beyond its limit, on a machine that stood still, the service says so (503) and has done nothing."""


@dataclass
class Trade:
    """`moved` and `left` note what the services accepted: by place, and by order line."""

    services: dict[str, Harness]
    dice: random.Random
    wire: Wire
    racing: bool
    items: dict[str, str] = field(default_factory=dict)
    """Item id to the currency that its stock is valued in."""
    warehouses: list[str] = field(default_factory=list)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    moved: dict[Place, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    left: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    taken: list[str] = field(default_factory=list)
    """Reservations that people made for themselves."""

    @classmethod
    async def open(cls, services: dict[str, Harness], seed: int) -> "Trade":
        """A new tenant, with three items, two of which may leave before they came, two warehouses and a little stock."""
        dice = random.Random(seed)
        tenant = uuid7()
        for service in services.values():
            service.tenant = tenant
            service.client = service.client_as()
            await service.count_days_in(_ZONES[seed % len(_ZONES)])
        trade = cls(services, dice, Wire(services, dice), racing=seed % 2 == 1)
        for sku, currency, valuation, policy in (
            ("BOLT", "EUR", "fifo", "refused"),
            ("NUT", "USD", "moving_average", "provisional"),
            ("GLUE", "EUR", "fifo", "provisional"),
        ):
            trade.items[await trade._item(sku, valuation, policy)] = currency
        await trade._unit("pcs")
        for code in ("N", "S"):
            trade.warehouses.append(await trade._warehouse(code))
        await trade.use_before_it_comes()
        for _ in range(5):
            await trade.receive()
        return trade

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            things = [self.one_thing() for _ in range(3 if self.racing else 1)]
            await asyncio.gather(*things)
            await self.wire.collect()
        await self.finish()

    async def one_thing(self) -> None:
        """Mostly an event arrives; otherwise somebody does something, or a clock strikes."""
        if self.dice.random() < 0.55:
            await self.wire.deliver_some(self.dice.choice(list(self.services)))
            return
        weights: dict[Callable[[], Awaitable[Any]], int] = {
            self.order: 3,
            self.decide: 9,
            self.change: 3,
            self.prepare: 6,
            self.dispatch: 14,
            self.deliver: 1,
            self.receive: 3,
            self.adjust: 2,
            self.transfer: 1,
            self.use: 1,
            self.send_back: 1,
            self.take: 1,
            self.give_back: 3,
            self.time_passes: 3,
            self.lock_a_period: 1,
        }
        await self.dice.choices(list(weights), list(weights.values()))[0]()

    async def finish(self) -> None:
        """Nobody waits any more, and everything that was said is heard."""
        await self.wire.settle()
        for order_id in self.orders:
            await self.post("orders", f"/v1/orders/{order_id}/resume")
        await self.wire.settle()

    # Selling.

    async def order(self) -> None:
        order = await self.post("orders", "/v1/orders", body := self.new_order())
        if order:
            self.orders[order["id"]] = {**body, "line_ids": [line["id"] for line in order["lines"]], "version": 1}

    def new_order(self) -> dict[str, Any]:
        lines = [
            {
                "item_id": item,
                "warehouse_id": self.dice.choice(self.warehouses),
                "quantity": self.quantity(9),
                "unit_price": str(Decimal(self.dice.randint(0, 300_000)) / 1000),
            }
            for item in self.dice.choices(list(self.items), k=self.dice.randint(1, 3))
        ]
        return {
            "customer_reference": "C-1",
            "customer_name": "Somebody",
            "currency": self.dice.choice(["EUR", "EUR", "JPY"]),
            "partial_allowed": self.dice.random() < 0.5,
            "confirm": self.dice.random() < 0.8,
            "reservation_expires_in_seconds": self.dice.choice([None, 3600]),
            "lines": lines,
        }

    async def change(self) -> None:
        """Write other lines into a draft; of several who do so at once, the last one counts."""
        if not self.orders:
            return
        order_id, body = self.dice.choice(list(self.orders)[-5:]), self.new_order()
        del body["confirm"]
        answer = await self._ask("orders", "PUT", f"/v1/orders/{order_id}", json=body)
        assert answer.status_code in ALLOWED, answer.text
        order = answer.json()
        if answer.status_code == 200 and order["version"] > self.orders[order_id]["version"]:
            said = {"line_ids": [line["id"] for line in order["lines"]], "version": order["version"]}
            self.orders[order_id] = {**body, **said}

    async def decide(self) -> None:
        if self.orders:
            order_id = self.dice.choice(list(self.orders)[-5:])
            often = ["confirm", "confirm", "resume", "resume", "allocate", "allocate"]
            action = self.dice.choice([*often, "hold", "cancel", "reopen"])
            body = {"reason": "because"} if action in {"hold", "cancel", "reopen"} else None
            await self.post("orders", f"/v1/orders/{order_id}/{action}", body)

    # Shipping.

    async def shipments(self, *statuses: str) -> list[dict[str, Any]]:
        found = await self.every("shipping", "/v1/shipments")
        return [shipment for shipment in found if shipment["status"] in statuses]

    async def prepare(self) -> None:
        """Split a shipment, or pick some of it."""
        open_ones = await self.shipments("pending", "picking")
        if not open_ones:
            return
        shipment = self.dice.choice(open_ones)
        line = self.dice.choice(shipment["lines"])
        tenths = (Decimal(line["quantity"]) * self.dice.randint(1, 10) / 10).quantize(SMALLEST)
        body = {"lines": [{"line_id": line["line_id"], "quantity": str(max(tenths, SMALLEST))}]}
        path, what = f"/v1/shipments/{shipment['id']}", self.dice.choice(["split", "split", "split", "pick"])
        answer = await self._command("shipping", f"{path}/{what}", body)
        if answer.status_code == 422:
            # Somebody else moved the line into another shipment after it had been looked up.
            there = {line["line_id"] for line in (await self.get("shipping", path))["lines"]}
            assert self.racing and line["line_id"] not in there, f"{path}/{what} {body}: {answer.text}"
        else:
            assert answer.status_code in ALLOWED, f"{path}/{what} {body}: {answer.status_code} {answer.text}"

    async def dispatch(self) -> None:
        open_ones = await self.shipments("pending", "picking", "picked", "packed")
        if not open_ones:
            return
        shipment = self.dice.choice(open_ones)
        back = timedelta(days=self.dice.choice([0, 0, 40]))
        body = {"dispatched_at": (datetime.now(UTC) - back).isoformat()}
        gone = await self.post("shipping", f"/v1/shipments/{shipment['id']}/dispatch", body)
        for line in gone["lines"] if gone else ():
            self.left[line["line_id"]] += Decimal(line["quantity"])
            self.moved[line["item_id"], line["warehouse_id"]] -= Decimal(line["quantity"])

    async def deliver(self) -> None:
        gone = await self.shipments("dispatched")
        if gone:
            await self.post("shipping", f"/v1/shipments/{self.dice.choice(gone)['id']}/deliver", {"signed_by": "S"})

    # Keeping stock.

    async def receive(self) -> None:
        (item, warehouse), quantity = self.place(), self.quantity(30)
        body: dict[str, Any] = {"item_id": item, "warehouse_id": warehouse, "quantity": quantity}
        body["currency"] = self.items[item]
        body |= {
            "value": self.dice.choice([0, self.dice.randint(1, 99_999)]),
            "reason": self.dice.choice(["opening", "purchase"]),
        }
        if await self.post("inventory", "/v1/inventory/receipts", body):
            self.moved[item, warehouse] += Decimal(quantity)

    async def adjust(self) -> None:
        (item, warehouse), quantity = self.place(), self.quantity(5)
        sign = self.dice.choice(["", "-"])
        body: dict[str, Any] = {"item_id": item, "warehouse_id": warehouse, "quantity": sign + quantity}
        body["reason"] = "count"
        body |= {"currency": self.items[item]} | ({} if sign else {"value": self.dice.randint(0, 999)})
        if await self.post("inventory", "/v1/inventory/adjustments", body):
            self.moved[item, warehouse] += Decimal(sign + quantity)

    async def transfer(self) -> None:
        (item, here), quantity = self.place(), self.quantity(6)
        (there,) = [warehouse for warehouse in self.warehouses if warehouse != here]
        body = {"item_id": item, "from_warehouse_id": here, "to_warehouse_id": there, "quantity": quantity}
        if await self.post("inventory", "/v1/inventory/transfers", body):
            self.moved[item, here] -= Decimal(quantity)
            self.moved[item, there] += Decimal(quantity)

    async def use(self) -> None:
        """Use up what is free, or what some reservation holds."""
        (item, warehouse), quantity = self.place(), self.quantity(self.dice.choice([3, 30]))
        body = {"item_id": item, "warehouse_id": warehouse, "quantity": quantity, "reason": "consumption"}
        body["currency"] = self.items[item]
        held = await self.every("inventory", "/v1/inventory/reservations", status="made")
        if held and self.dice.random() < 0.5:
            reservation = self.dice.choice(held)
            line = self.dice.choice(reservation["lines"])
            body |= {name: line[name] for name in ("item_id", "warehouse_id", "line_id")}
            body["reservation_id"] = reservation["id"]
        if await self.post("inventory", "/v1/inventory/issues", body):
            self.moved[body["item_id"], body["warehouse_id"]] -= Decimal(quantity)

    async def send_back(self) -> None:
        """Some of what was bought goes back, from where it came to or from elsewhere."""
        bought = await self.every("inventory", "/v1/inventory/movements", kind="received", reason="purchase")
        receipt, warehouse = self.dice.choice(bought), self.dice.choice(self.warehouses)
        body = {"item_id": receipt["item_id"], "warehouse_id": warehouse, "quantity": self.quantity(4)}
        body |= {"reason": "return_to_supplier", "receipt_id": receipt["id"]}
        if await self.post("inventory", "/v1/inventory/issues", body):
            self.moved[receipt["item_id"], warehouse] -= Decimal(body["quantity"])

    async def use_before_it_comes(self) -> None:
        """Something is used up of what the books do not have, and a receipt covers some of it."""
        item, warehouse = list(self.items)[-1], self.warehouses[0]
        body = {"item_id": item, "warehouse_id": warehouse, "currency": self.items[item]}
        used = await self.post("inventory", "/v1/inventory/issues", {**body, "quantity": "7", "reason": "consumption"})
        came = {**body, "quantity": "4", "value": 10, "reason": "purchase"}
        assert used
        assert await self.post("inventory", "/v1/inventory/receipts", came)
        self.moved[item, warehouse] += 4 - 7

    async def take(self) -> None:
        item, warehouse = self.place()
        line = {"item_id": item, "warehouse_id": warehouse, "quantity": self.quantity(4)}
        body = {"lines": [line], "expires_in_seconds": self.dice.choice([None, 3600])}
        made = await self.post("inventory", "/v1/inventory/reservations", body)
        if made:
            self.taken.append(made["id"])

    async def give_back(self) -> None:
        """Somebody in the warehouse releases a reservation, of whomever."""
        held = await self.every("inventory", "/v1/inventory/reservations", status="made")
        if held:
            await self.post("inventory", f"/v1/inventory/reservations/{self.dice.choice(held)['id']}/release")

    # Time.

    async def time_passes(self) -> None:
        """The deadlines of inventory or of orders come."""
        service = self.services[self.dice.choice(["inventory", "inventory", "orders"])]
        try:
            async with service.tx() as tx:
                await tx.execute(
                    text("UPDATE timer SET due_at = now() WHERE tenant_id = :tenant"), {"tenant": service.tenant}
                )
            await service.fire_timers()
        except Exception as error:
            # The clock tries again.
            if not is_transient(error):
                raise

    async def lock_a_period(self) -> None:
        day = datetime.now(UTC).date() - timedelta(days=self.dice.randint(35, 45))
        body = {"name": str(day), "first_day": str(day), "last_day": str(day)}
        opened = await self.post("accounting", "/v1/accounting/periods", body)
        if opened:
            await self.post("accounting", f"/v1/accounting/periods/{opened['id']}/lock")

    # Talking to the services.

    async def post(self, service: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The answer; None when it was refused for the state of things."""
        answer = await self._command(service, path, body)
        assert answer.status_code in ALLOWED, f"{path} {body}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.status_code < 300 else None

    async def _command(self, service: str, path: str, body: dict[str, Any] | None) -> Any:
        return await self._ask(service, "POST", path, json=body, headers={"Idempotency-Key": str(uuid7())})

    async def get(self, service: str, path: str, **query: Any) -> Any:
        answer = await self._ask(service, "GET", path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def _ask(self, service: str, method: str, path: str, **given: Any) -> Any:
        """What is busy for too long is asked again, with the same key."""
        for _ in range(ATTEMPTS):
            answer = await self.services[service].client.request(method, path, **given)
            if answer.status_code != 503:
                break
        return answer

    async def every(self, service: str, path: str, **query: Any) -> list[dict[str, Any]]:
        page = await self.get(service, path, limit=100, **query)
        found = list(page["items"])
        while page["next_cursor"]:
            page = await self.get(service, path, limit=100, cursor=page["next_cursor"], **query)
            found += page["items"]
        return found

    def place(self) -> Place:
        return self.dice.choice(list(self.items)), self.dice.choice(self.warehouses)

    def quantity(self, most: int) -> str:
        whole = Decimal(self.dice.randint(1, most))
        return str(whole if self.dice.random() < 0.7 else whole - Decimal(self.dice.randint(0, 999)) / 1000)

    async def _unit(self, code: str) -> None:
        """Counted in thousandths, so that the dice find remainders too."""
        id = uuid7()
        unit = catalog.UnitCreated(unit_id=id, code=code, name=code, dimension=code, factor=Decimal(1), decimals=3)
        await self._tell(unit, id)

    async def _item(self, sku: str, valuation: Any, negative_stock: Any) -> str:
        id = uuid7()
        kept = {"valuation": valuation, "negative_stock": negative_stock}
        event = catalog.ItemCreated(item_id=id, sku=sku, name=sku, unit="pcs", tax_rate=TAX, **kept)
        await self._tell(event, id)
        return str(id)

    async def _warehouse(self, code: str) -> str:
        id = uuid7()
        await self._tell(catalog.WarehouseCreated(warehouse_id=id, code=code, name=code), id)
        return str(id)

    async def _tell(self, event: catalog.CatalogEvent, id: UUID) -> None:
        for name in ("orders", "inventory"):
            await self.services[name].deliver(event, aggregate_id=id)
