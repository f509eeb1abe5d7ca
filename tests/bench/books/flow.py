"""One turn of ours: clients enter orders that bind, others send what was reserved for them, and the books are watched until all of it is in them.

An order is two requests through the gateway: it is entered and confirmed, and its shipment is dispatched. Reserving its goods, making its shipment,
booking their cost and what they sold for, and an invoice that is issued and booked, follow by events. Those who dispatch find their shipments as
people do, in the list of those that wait. Nobody enters an order while `ahead` others are on their way to the books, so the figure is one that
lasts, and not how quickly a queue grows.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from mix.client import User
from mix.setup import Shop

from books.plan import Order, Plan

CLIENTS, SENDERS = 8, 8
_LOOK, _LIST = 0.2, 0.1
"""Seconds between two looks at the books, and at the shipments that wait."""
_AGAIN = 0.05
"""Seconds after which somebody asks again who was refused."""
_WITHIN = 120.0
"""Seconds in which the last order must come into the books."""
_LATE = timedelta(seconds=5)
"""How far back a look at the books begins again, for what was committed out of turn."""
MOST_AHEAD = 200
"""One page of a list."""
_JOURNALS = """
SELECT id, recorded_at, split_part(rule, '@', 1) AS rule, coalesce(order_id, (
    SELECT order_id FROM invoice_line
    WHERE invoice_line.tenant_id = journal.tenant_id AND invoice_id = source_id AND order_id IS NOT NULL LIMIT 1)) AS order_id
FROM journal
WHERE tenant_id = $1 AND recorded_at > $2 AND split_part(rule, '@', 1) IN ('stock-issued', 'shipment-dispatched', 'invoice-issued')
"""


def in_the_books(rules: Counter[str], lines: int) -> bool:
    """Whether the journals of an order are all there: the cost of each line, what they sold for, and the invoice."""
    return rules["stock-issued"] >= lines and rules["shipment-dispatched"] >= 1 and rules["invoice-issued"] >= 1


class Books:
    """What accounting's database has committed, of one tenant."""

    def __init__(self, connection: asyncpg.Connection, tenant: UUID) -> None:
        self._connection, self._tenant = connection, tenant
        self._seen: set[UUID] = set()
        self._since = datetime.now(UTC) - timedelta(days=1)
        self.rules: dict[str, Counter[str]] = defaultdict(Counter)
        """By order, how many journals there are of each rule."""

    async def look(self) -> None:
        """Note which journals there are that were not at the last look."""
        for row in await self._connection.fetch(_JOURNALS, self._tenant, self._since - _LATE):
            if row["id"] in self._seen or row["order_id"] is None:
                continue
            self._seen.add(row["id"])
            self._since = max(self._since, row["recorded_at"])
            self.rules[str(row["order_id"])][row["rule"]] += 1


class Flow:
    """Times are those of this process's clock. `accepted`, `sent` and `booked` are by order."""

    def __init__(self, shop: Shop, customers: Sequence[str], plan: Plan, books: Books, ahead: int, number: int) -> None:
        self._shop, self._customers, self._plan, self._books = shop, customers, plan, books
        self._room, self._number = asyncio.Semaphore(ahead), number
        self._closed = self._over = False
        self._orders = count()
        self._waiting: asyncio.Queue[Any] = asyncio.Queue()
        self.accepted: dict[str, float] = {}
        self.sent: dict[str, float] = {}
        self.booked: dict[str, float] = {}
        self.lines: dict[str, int] = {}
        self.refused: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Raises TimeoutError when orders never come into the books, or none was accepted."""
        async with asyncio.TaskGroup() as work:
            at_it = [
                *[work.create_task(self._send(self._shop.somebody(n))) for n in range(SENDERS)],
                work.create_task(self._find(self._shop.somebody(0))),
            ]
            watching = work.create_task(self._watch())
            clients = [work.create_task(self._enter(self._shop.somebody(n))) for n in range(CLIENTS)]
            await asyncio.sleep(seconds)
            self._closed = True
            for _ in clients:
                # Who waits for room goes, also when nothing comes into the books any more.
                self._room.release()
            await asyncio.gather(*clients)
            self._over = True
            with suppress(TimeoutError):
                await asyncio.wait_for(watching, _WITHIN)
            for each in at_it:
                each.cancel()
        if not self.accepted or len(self.booked) < len(self.accepted):
            raise TimeoutError(self._missing())

    def behind(self) -> list[float]:
        """Seconds from the answer that an order had left until its journals were seen, a look's length too many at most."""
        return [at - self.sent[order] for order, at in self.booked.items() if order in self.sent]

    async def _enter(self, who: User) -> None:
        while not self._closed:
            await self._room.acquire()
            if self._closed:
                return
            number = next(self._orders)
            lists = self._plan.orders
            own = lists[number % len(lists)]
            order = own[number // len(lists) % len(own)]
            answer = await self._ask(who, "/v1/orders", self._body(order, number))
            if answer.status == 201:
                self.accepted[answer.body["id"]] = time.monotonic()
                self.lines[answer.body["id"]] = len(order.lines)
            else:
                self._room.release()
                await asyncio.sleep(_AGAIN)

    def _body(self, order: Order, number: int) -> dict[str, Any]:
        lines = [
            {
                "item_id": self._shop.items[line.good],
                "warehouse_id": self._shop.warehouses[0],
                "quantity": str(line.quantity),
                "unit_price": self._plan.goods[line.good].price,
            }
            for line in order.lines
        ]
        return {
            "customer_reference": f"PO-{self._number}-{number}",
            "customer_id": self._customers[order.customer],
            "currency": "EUR",
            "lines": lines,
            "confirm": True,
        }

    async def _find(self, who: User) -> None:
        """Hand each shipment that waits to a sender, once."""
        handed: set[str] = set()
        while True:
            page = await who.get("/v1/shipments", status="pending", limit=MOST_AHEAD)
            for shipment in page["items"]:
                if shipment["id"] not in handed:
                    handed.add(shipment["id"])
                    self._waiting.put_nowait(shipment)
            await asyncio.sleep(_LIST)

    async def _send(self, who: User) -> None:
        while True:
            shipment = await self._waiting.get()
            path = f"/v1/shipments/{shipment['id']}/dispatch"
            answer = await self._ask(who, path, {"tracking_number": shipment["number"]})
            if answer.status == 200:
                self.sent[shipment["order_id"]] = time.monotonic()
            else:
                self._waiting.put_nowait(shipment)
                await asyncio.sleep(_AGAIN)

    async def _watch(self) -> None:
        """Until nobody enters an order any more, and all are in the books."""
        while not (self._over and len(self.booked) == len(self.accepted)):
            await self._books.look()
            now = time.monotonic()
            for order in self.accepted.keys() - self.booked.keys():
                if in_the_books(self._books.rules[order], self.lines[order]):
                    self.booked[order] = now
                    self._room.release()
            await asyncio.sleep(_LOOK)

    async def _ask(self, who: User, path: str, body: Any) -> Any:
        """One attempt, with a key of its own. What is refused is counted."""
        headers = {"Authorization": f"Bearer {who.token}", "Idempotency-Key": str(uuid4())}
        answer = await who.session.once("POST", path, headers, body, None)
        if answer.status == 401:
            await who.log_in()
        if answer.status >= 300 or answer.status == 0:
            kind = answer.body.get("type", "") if isinstance(answer.body, dict) else ""
            self.refused[f"{path.split('/')[2]} {answer.status} {str(kind).rpartition('/')[2]}".strip()] += 1
        return answer

    def _missing(self) -> str:
        late = self.accepted.keys() - self.booked.keys()
        one = next(iter(late), "")
        return (
            f"{len(late)} of {len(self.accepted)} orders are not in the books, {len(late & self.sent.keys())} of which have left; "
            f"of {one} there are {dict(self._books.rules[one])}; refused: {dict(self.refused)}"
        )
