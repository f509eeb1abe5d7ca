"""Orders that reach the books: the arithmetic, what is refused, and one turn of ours over the real services, without Kafka and without Tryton."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from books.__main__ import document, options, show
from books.flow import Books, Flow, in_the_books
from books.ours import BILLING, customer
from books.plan import CUSTOMERS, GOODS_EACH, TAX, Plan
from books.tally import AGAIN, OURS, PEER, REFUSED, TAKEN, Turn, result, undisturbed
from mix.client import Reply, Session, User
from mix.plans import Firm
from mix.setup import Shop
from rich.console import Console
from wire import Wire

from accounting.service import service as accounting_service
from catalog.service import service as catalog
from contracts.users import TenantCreated
from customers.service import service as customers
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace.core.ids import uuid7
from tailrace.core.values.days import DEFAULT_ZONE
from tailrace_testing import Harness, MakeHarness

US = [Turn(OURS, n, 10.0, {"services": n * 0.01, "postgres": n * 0.02}, n, (0.1, 0.3)) for n in (300, 500, 400)]
THEM = [Turn(PEER, n, 10.0, {"Tryton": n * 0.6}, n, (), {TAKEN: 0.5, AGAIN: n, REFUSED: 1}) for n in (12, 18, 15)]


def test_sides_are_compared_by_their_medians() -> None:
    found = result([*US, *THEM], cores=2)
    assert (found[OURS]["orders per second"], found[PEER]["orders per second"]) == (40, 1.5)
    assert found[OURS]["CPU ms per order"] == {"services": 10, "postgres": 20, "together": 30}
    assert found[OURS]["books behind"] == {"n": 6, "p50 ms": 100, "p90 ms": 300, "p99 ms": 300, "max ms": 300}
    # With the half core that our fleet took, Tryton would have made 2 orders a second.
    assert found[PEER]["orders per second, alone"] == 2
    assert found["times"] == {
        "orders per second": 20,
        "orders per second, by round": [18.8, 20.8, 20],
        "CPU for an order": 20,
    }


def test_one_side_alone_is_compared_with_nobody() -> None:
    assert result(THEM, cores=2).keys() == {PEER}
    assert result(US, cores=2).keys() == {OURS}


def test_all_cores_cannot_have_been_taken() -> None:
    assert undisturbed(3, cores=2, taken=0.5) == 4
    with pytest.raises(ValueError, match="cannot have been taken"):
        undisturbed(3, cores=2, taken=2)


def test_what_was_not_sold_has_no_cost() -> None:
    with pytest.raises(ValueError, match="Tryton sold nothing"):
        _ = replace(THEM[0], booked=0, cpu_orders=0).cost


def test_an_order_is_in_the_books_when_all_its_journals_are() -> None:
    whole = Counter({"stock-issued": 2, "shipment-dispatched": 1, "invoice-issued": 1})
    assert in_the_books(whole, lines=2)
    assert not any(in_the_books(whole - Counter([rule]), lines=2) for rule in whole)


def test_a_plan_follows_from_its_seed_and_gives_each_seller_goods_of_its_own() -> None:
    plan = Plan.make(1, sellers=3, lines=2)
    assert plan == Plan.make(1, sellers=3, lines=2) != Plan.make(2, sellers=3, lines=2)
    for seller, own in enumerate(plan.orders):
        assert {line.good // GOODS_EACH for order in own for line in order.lines} == {seller}
        assert {len({line.good for line in order.lines}) for order in own} == {2}
        assert {order.customer for order in own} <= set(range(CUSTOMERS))
    with pytest.raises(ValueError, match="1 to 8 lines"):
        Plan.make(1, sellers=1, lines=GOODS_EACH + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        "--rounds 0",
        "--seconds 3",
        "--lines 9",
        "--ahead 201",
        "--sellers -1",
        "--only Odoo",
        "--seconds nan",
        "--seconds inf",
    ],
)
def test_what_cannot_be_measured_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        options(wrong.split())
    assert refused.value.code == 2
    assert "python -m books: error:" in capsys.readouterr().err


def test_figures_are_shown_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    told = document(options(["--rounds", "3"]), [*US, *THEM], ["a sale is missing"], cores=2)
    assert [one["orders per second"] for one in told["rounds"] if one["side"] == OURS] == [30, 50, 40]
    assert (told["wrong"], told["asked"]["rounds"]) == (["a sale is missing"], 3)
    show(Console(width=150), told)
    said = capsys.readouterr().out
    assert "20.0 times the orders/s (by round 18.8  20.8  20.0)" in said
    assert (told[PEER][AGAIN], told[PEER][REFUSED]) == (45, 3) and AGAIN not in told[OURS]
    assert f"requests {AGAIN}" in said and f"requests {REFUSED}" in said
    assert "trytond==" not in said and all(side in said for side in (OURS, PEER))


class Here(Session):
    """Real services, and no gateway: a request goes to the one that has the path."""

    def __init__(self, services: dict[str, Harness]) -> None:
        self._services = {"accounting": "accounting", "orders": "orders", "shipments": "shipping"}
        self._services |= {"items": "catalog", "warehouses": "catalog"}
        self._services |= {"customers": "customers", "inventory": "inventory"}
        self._harnesses = services

    async def once(self, method: str, path: str, headers: dict[str, str], body: Any, params: Any) -> Reply:
        service = self._harnesses[self._services[path.split("/")[2]]]
        kept = {name: value for name, value in headers.items() if name != "Authorization"}
        answer = await service.client.request(method, path, json=body, params=params, headers=kept)
        return Reply(answer.status_code, answer.json(), dict(answer.headers))

    async def ask(self, method: str, path: str, body: Any) -> Any:
        answer = await self.once(method, path, {}, body, None)
        assert 200 <= answer.status < 300, answer
        return answer.body


@pytest.fixture
async def services(make_harness: MakeHarness) -> dict[str, Harness]:
    made = {
        s.name: await make_harness(s) for s in (catalog, customers, orders, inventory, shipping, accounting_service)
    }
    tenant = uuid7()
    for service in made.values():
        service.tenant = tenant
        service.client = service.client_as()
    return made


@pytest.fixture
async def wire(services: dict[str, Harness]) -> AsyncIterator[Wire]:
    wire = Wire(services, random.Random(1))
    joined = TenantCreated(tenant_id=services["orders"].tenant, slug="acme", name="Acme", currency="EUR", country="DE")
    for service in services.values():
        await service.count_days_in(DEFAULT_ZONE)
        if TenantCreated.topic in service.dispatcher.topics:
            await service.deliver(joined, aggregate_id=service.tenant)
    await wire.settle()
    yield wire
    assert await wire.dead_letters() == []


async def test_every_accepted_order_reaches_the_books(services: dict[str, Harness], wire: Wire) -> None:
    here, plan = Here(services), Plan.make(1, sellers=1, lines=2)
    who = User(here, "acme", "ada@acme.example", "", "a token")
    items = [
        await here.ask("POST", "/v1/items", {"sku": good.code, "name": good.code, "unit": "pcs", "tax_rate": TAX})
        for good in plan.goods
    ]
    place = await here.ask("POST", "/v1/warehouses", {"code": "MAIN", "name": "Main"})
    await here.ask("PUT", "/v1/accounting/billing", BILLING)
    buyers = [(await here.ask("POST", "/v1/customers", customer(number)))["id"] for number in range(CUSTOMERS)]
    await wire.settle()
    for item in items:
        came = {"item_id": item["id"], "warehouse_id": place["id"], "quantity": "1000", "value": 9000}
        await here.ask("POST", "/v1/inventory/receipts", {**came, "currency": "EUR", "reason": "opening"})
    await wire.settle()

    async def deliver() -> None:
        while True:
            await wire.settle()
            await asyncio.sleep(0.01)

    accounting, tenant = services["accounting"], services["accounting"].tenant
    shop = Shop(Firm("acme", "EUR", ()), 0, str(tenant), who, [who], [each["id"] for each in items], [place["id"]])
    books = await asyncpg.connect(accounting.admin_url)
    delivering = asyncio.create_task(deliver())
    flow = Flow(shop, buyers, plan, Books(books, tenant), ahead=3, number=0)
    await flow.run(1.0)
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    await books.close()

    assert flow.accepted and flow.accepted.keys() == flow.booked.keys() == flow.sent.keys()
    assert len(flow.behind()) == len(flow.accepted) and not flow.refused
    await wire.settle()
    count = "SELECT count(*) FROM invoice WHERE tenant_id = $1 AND status = 'issued'"
    assert await accounting.admin.fetchval(count, tenant) == len(flow.accepted)
