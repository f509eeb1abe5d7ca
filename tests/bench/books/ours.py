"""Our side: the whole fleet with durable data, and a company of it that sells through the gateway; see `flow` for how."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from measure.usage import Figures, Processes
from mix.client import RequestLog, Session, User
from mix.plans import Firm
from mix.plans import Good as Item
from mix.setup import Shop, found

from books.flow import Books, Flow
from books.plan import CUSTOMERS, TAX, Plan
from books.tally import OURS, Turn
from tailrace.stack.embedded import Stack

_LIMITS = {
    "TAILRACE_TENANT_RATE": "50000",
    "TAILRACE_TENANT_BURST": "100000",
    "TAILRACE_ADDRESS_RATE": "5000",
    "TAILRACE_ADDRESS_BURST": "10000",
}
_ISSUER = {
    "lines": ["1 Mill Lane"],
    "city": "Hamburg",
    "country": "DE",
    "tax_id": "DE123456788",
    "electronic_address": "9930:DE123456788",
}
BILLING = {"mode": "per_shipment", "issues": True, "issuer": _ISSUER}
"""Each shipment is invoiced as it leaves, and the invoice binds at once."""
_CLIENTS = "supervisor"
"""The part that this process is: it supervises the stack, and is all the clients."""


class Ours:
    """A company that is ready to sell. `ahead` is how many orders may be accepted and not yet in the books."""

    def __init__(
        self, stack: Stack, books: Books, shop: Shop, customers: Sequence[str], plan: Plan, ahead: int
    ) -> None:
        self._stack, self._books, self._shop, self._customers = stack, books, shop, customers
        self._plan, self._ahead, self._processes = plan, ahead, Processes(stack.plan.layout.data)
        self._number = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, data: Path, plan: Plan, ahead: int) -> AsyncIterator["Ours"]:
        """The fleet is up and the company has its goods, its stock and its customers. The data is gone afterwards, unless something went wrong."""
        async with AsyncExitStack() as held:
            stack = await held.enter_async_context(_fleet(data))
            log = held.enter_context(closing(RequestLog(data / "requests.jsonl")))
            asking = await held.enter_async_context(Session(stack.gateway_url, log))
            operator = await asking.user("platform", "operator@platform.local", stack.supervisor.credentials.operator)
            shop, customers = await company(asking, operator, plan)
            connection = await asyncpg.connect(stack.postgres_url.rsplit("/", 1)[0] + "/accounting")
            held.push_async_callback(connection.close)
            yield cls(stack, Books(connection, UUID(shop.tenant_id)), shop, customers, plan, ahead)

    async def turn(self, seconds: float, ramp: float) -> Turn:
        """Orders come in for `seconds`, and those count that are in the books after `ramp` of them and before the end. Returns when all that were
        accepted are in the books; the cost of an order is that of all this. Raises what `Flow.run` raises."""
        flow = Flow(self._shop, self._customers, self._plan, self._books, self._ahead, self._number)
        self._number += 1
        before, began = self.cpu(), time.monotonic()
        await flow.run(seconds)
        lasted, after = time.monotonic() - began, self.cpu()
        used = {part: after[part] - before[part] for part in after}
        clients = used.pop(_CLIENTS)
        booked = [at for at in flow.booked.values() if ramp <= at - began < seconds]
        more = {
            "accepted": len(flow.accepted),
            "refused": dict(flow.refused),
            "seconds until the last was in the books": round(lasted, 1),
            "cores of the clients": round(clients / lasted, 2),
        }
        return Turn(OURS, len(booked), seconds - ramp, used, len(flow.booked), flow.behind(), more)

    def cpu(self) -> Figures:
        """CPU seconds so far by part; the supervisor is this process."""
        figures = self._processes.cpu()
        return {part: seconds for part, seconds in figures.items() if part != "together"}


@asynccontextmanager
async def _fleet(data: Path) -> AsyncIterator[Stack]:
    # Where the last of these is set, every process compiles every module again.
    stack = Stack(data / "data", environment={**_LIMITS, "PYTHONDONTWRITEBYTECODE": ""})
    try:
        await asyncio.to_thread(stack.start)
        yield stack
    except BaseException:
        # Its logs say what went wrong.
        await asyncio.to_thread(stack.stop)
        raise
    await asyncio.to_thread(stack.discard)


async def company(asking: Session, operator: User, plan: Plan) -> tuple[Shop, list[str]]:
    """A company with the plan's goods and stock, which invoices what leaves, and the ids of its customers."""
    goods = tuple(Item(good.code, good.cost, good.price, TAX, "fifo") for good in plan.goods)
    firm = Firm(f"books-{os.getpid()}", "EUR", goods, warehouses=("MAIN",))
    shop = await found(asking, operator, firm, 0)
    await shop.admin.write("PUT", "/v1/accounting/billing", BILLING, key="billing")
    made = [await shop.admin.post("/v1/customers", customer(n), key=f"customer/{n}") for n in range(CUSTOMERS)]
    return shop, [each["id"] for each in made]


def customer(number: int) -> dict[str, Any]:
    address = {"use": "billing", "lines": ["12 Analytical Row"], "city": "Lyon", "country": "FR"}
    return {"name": f"Customer {number}", "currency": "EUR", "payment_terms_days": 14, "addresses": [address]}
