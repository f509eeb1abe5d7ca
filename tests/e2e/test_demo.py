"""The main job in small: a company of the demo trades and has quotes and journals decided; every figure and every trace is what the requests say."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from tailrace.stack.embedded import Stack
from tailrace_demo import approvals, books, forwarder, money, templated, traces
from tailrace_demo.client import RequestLog, Session
from tailrace_demo.companies import METAL
from tailrace_demo.expected import expected
from tailrace_demo.morning import morning
from tailrace_demo.offers import offer_all, offers
from tailrace_demo.setup import Shop, found
from tailrace_demo.trade import plans, trade
from tailrace_testing.gateway import Gateway

ORDERS = 24


async def _office(shop: Shop) -> None:
    await money.collect(shop, await approvals.approvals(shop))


async def test_figures_and_traces_of_a_company_are_what_its_requests_say(
    fleet: Stack, gateway: Gateway, tmp_path: Path
) -> None:
    log = RequestLog(tmp_path / "requests.jsonl")
    firm = replace(METAL, slug=f"hagane-{uuid4().hex[:8]}", goods=METAL.goods[:2], warehouses=METAL.warehouses[:1])
    async with Session(gateway.url, log) as session:
        operator = await session.log_in("platform", "operator@platform.local", gateway._operator_password)
        shop = await found(session, operator, firm)
        async with asyncio.TaskGroup() as group:
            group.create_task(trade(shop, plans(shop, ORDERS, 7), lambda: None))
            group.create_task(_office(shop))
            group.create_task(offer_all(shop, offers(shop, 6, 7)))
        rates = {shop.items[good.sku]: Decimal(good.tax) for good in firm.goods}
        prices = {shop.items[good.sku]: Decimal(good.price) for good in firm.goods}
        figures = expected(log.entries, firm.slug, rates, prices)
        await books.settle(shop, figures)
        checks = await books.audit(shop, figures)
        assert [(each.name, each.found, each.wanted) for each in checks if not each.holds] == []
        assert figures.decisions == {"manager": 10, "finance": 3}
        assert figures.quotes["accepted"] >= 1
        by_template = await templated.look(shop, figures)
        assert by_template is not None and by_template.line == ["STANDARD", "METAL", "HAGANE"]
        assert [(each.name, each.found, each.wanted) for each in by_template.checks if not each.holds] == []
        assert {check.name: check.wanted for check in by_template.checks}["items as the template wants"] == 2
        seen = await morning(shop, figures, log.entries)
        assert [(each.name, each.found, each.wanted) for each in seen.checks if not each.holds] == []
        reported = {check.name: check.found for check in seen.checks}
        # What was known half way, and not what is known now.
        assert 0 < reported["ordered, half way, net"] < reported["ordered, now, net"] <= reported["ordered, net"]
        assert 0 < reported["quotes accepted (tile), now"] <= reported["quotes sent (KPI), now"]
        assert "<svg" in seen.chart
        assert "Approve the budget" in seen.news
        told = await forwarder.listen(shop, fleet.kafka, log.entries)
        assert [(each.name, each.found, each.wanted) for each in told.checks if not each.holds] == []
        assert told.checks[1].wanted > ORDERS // 2
        verdict = await traces.check({firm.slug: shop.admin}, log.entries, fleet.kafka, ORDERS, 7)
    assert verdict.wrong == {}, "\n".join(f"{k}: {v}" for k, v in verdict.wrong.items())
    assert (verdict.orders, verdict.asked > ORDERS, verdict.nodes > 10 * ORDERS) == (ORDERS, True, True)
