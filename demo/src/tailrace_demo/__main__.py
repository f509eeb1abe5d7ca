"""`python -m tailrace_demo`: run the job, print what came of it, and end with 1 when any figure is wrong."""

import argparse
import asyncio
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tailrace_demo import approvals, books, forwarder, money, moving_in, report, templated, topics, traces
from tailrace_demo.client import RequestLog, Session
from tailrace_demo.companies import FIRMS, MUSIC
from tailrace_demo.expected import Expected, expected
from tailrace_demo.morning import morning
from tailrace_demo.offers import offer_all, offers
from tailrace_demo.purchases import purchases
from tailrace_demo.setup import Shop, found
from tailrace_demo.templated import Templated
from tailrace_demo.trade import Plan, moved_in, plans, trade

SAMPLE = 200


def main() -> None:
    options = _options()
    data = Path(os.environ.get("TAILRACE_DATA", ".tailrace")) / "demo"
    data.mkdir(parents=True, exist_ok=True)
    console = Console()
    options.all = _all_purchases(options, data)
    sys.exit(0 if asyncio.run(run(options, RequestLog(data / "requests.jsonl"), data, console)) else 1)


def _all_purchases(options: argparse.Namespace, data: Path) -> bool:
    """Once all purchases are in the books, every later run has to count them too."""
    mark = data / "all-purchases"
    if options.all:
        data.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return mark.exists()


def _options() -> argparse.Namespace:
    environment = os.environ.get
    parser = argparse.ArgumentParser(prog="tailrace demo", description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="replay all 6,919 purchases of the music shop, not the first 200"
    )
    parser.add_argument(
        "--orders", type=int, default=200, help="orders of the two manufacturers together (at least 24)"
    )
    parser.add_argument(
        "--quotes", type=int, default=300, help="quotes of the two manufacturers together (at least 28)"
    )
    parser.add_argument(
        "--traces", type=int, default=50, help="of how many orders, chosen at random, the trace is checked; 0 for none"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--gateway", default=f"http://127.0.0.1:{environment('TAILRACE_GATEWAY_PORT', '8000')}")
    parser.add_argument("--kafka", default=environment("TAILRACE_KAFKA", "127.0.0.1:8101"))
    parser.add_argument("--operator-password", default=environment("TAILRACE_OPERATOR_PASSWORD", ""))
    options = parser.parse_args()
    if options.orders < 24:
        parser.error("--orders must be at least 24, so that every kind of order occurs")
    if options.quotes < 28:
        parser.error("--quotes must be at least 28, so that every kind of quote occurs")
    return options


async def run(options: argparse.Namespace, log: RequestLog, data: Path, console: Console) -> bool:
    """True when every figure is right."""
    began = time.monotonic()
    async with Session(options.gateway, log) as session:
        operator = await session.log_in("platform", "operator@platform.local", options.operator_password)
        console.print("Master data and opening stock …")
        shops = [await found(session, operator, firm, data if firm is MUSIC else None) for firm in FIRMS]
        planned = {shop.firm.slug: await _plans(shop, options, data) for shop in shops}
        await _trade(shops, planned, options, console)
        log.save()
        figures = {shop.firm.slug: _expected(shop, log) for shop in shops}
        console.print("Waiting for the books …")
        for shop in shops:
            await books.settle(shop, figures[shop.firm.slug])
        results = {s.firm.slug: (s.firm, await books.audit(s, figures[s.firm.slug])) for s in shops}
        makers = await _by_template(shops, figures)
        for slug, made in makers.items():
            results[slug][1].extend(made.checks)
        example = next(
            e
            for e in log.entries
            if e["path"] == "/v1/orders" and e["tenant"] == FIRMS[0].slug and e["body"]["confirm"]
        )
        console.print("A manager's morning …")
        seen = await morning(shops[0], figures[FIRMS[0].slug], log.entries)
        console.print("A partner …")
        told = await forwarder.listen(shops[0], options.kafka, log.entries)
        log.save()
        traced, drawn = await _traced(shops[0], example["answer"]["id"])
        checked = await _checked(shops, log, options)
    events = await topics.read_events(options.kafka)
    counted, waits = topics.per_topic(events), topics.latency(events)
    report.show_checks(console, results)
    report.show_templates(console, {results[slug][0].name: made for slug, made in makers.items()})
    report.show_morning(console, shops[0], seen, _saved(seen.chart, data / "shipped.svg"))
    report.show_partner(console, shops[0], told)
    report.show_topics(console, counted, waits)
    report.show_story(console, example["answer"]["number"], list(topics.story(events, example["answer"]["id"])))
    report.show_trace(console, options.gateway, example["answer"]["id"], traced, _saved(drawn, data / "trace.svg"))
    report.show_traces(console, checked)
    report.show_log_ins(console, options.gateway, shops)
    report.save(data / "report.json", results, counted, waits, checked)
    every = [*seen.checks, *told.checks, *(check for _, checks in results.values() for check in checks)]
    right = not checked.wrong and all(check.holds for check in every)
    verdict = "[green]every figure agrees[/]" if right else "[bold red]some figures are wrong[/]"
    console.print(
        f"{len(log.entries):,} accepted requests in {time.monotonic() - began:.0f} s: {verdict}. Their log: {log.path}"
    )
    return right


async def _by_template(shops: list[Shop], figures: dict[str, Expected]) -> dict[str, Templated]:
    """Of those that have one."""
    seen = {shop.firm.slug: await templated.look(shop, figures[shop.firm.slug]) for shop in shops}
    return {slug: made for slug, made in seen.items() if made is not None}


async def _traced(shop: Shop, order_id: str) -> tuple[int, str]:
    """How many events and requests the order's trace has, once it is complete, and the trace drawn (SVG)."""
    path = f"/v1/trace/{order_id}"
    trace = await shop.admin.until(path, lambda said: said["complete"] and said["nodes"], what=f"{path} to be complete")
    return len(trace["nodes"]), await shop.admin.get(f"{path}.svg")


async def _checked(shops: list[Shop], log: RequestLog, options: argparse.Namespace) -> traces.Verdict:
    admins = {shop.firm.slug: shop.admin for shop in shops}
    return await traces.check(admins, log.entries, options.kafka, options.traces, options.seed)


def _saved(text: str, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def _plans(shop: Shop, options: argparse.Namespace, data: Path) -> list[Plan]:
    if shop.firm is MUSIC:
        bought = purchases(None if options.all else SAMPLE)
        return moved_in(await moving_in.bring_orders(shop.admin, shop.firm, bought, data))
    return plans(shop, options.orders // 2, options.seed)


async def _trade(
    shops: list[Shop], planned: dict[str, list[Plan]], options: argparse.Namespace, console: Console
) -> None:
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        async with asyncio.TaskGroup() as group:
            for shop in shops:
                task = progress.add_task(shop.firm.name, total=len(planned[shop.firm.slug]))

                def done(task=task) -> None:  # type: ignore[no-untyped-def]
                    progress.advance(task)

                group.create_task(trade(shop, planned[shop.firm.slug], done))
                if shop.firm.customers:
                    group.create_task(_office(shop))
                    at_list_prices = options.quotes // 2 - len(approvals.QUOTES)
                    group.create_task(offer_all(shop, offers(shop, at_list_prices, options.seed)))


async def _office(shop: Shop) -> None:
    """What is decided, and what money comes in."""
    await money.collect(shop, await approvals.approvals(shop))


def _expected(shop: Shop, log: RequestLog) -> Expected:
    rates = {shop.items[good.sku]: Decimal(good.tax) for good in shop.firm.goods}
    prices = {shop.items[good.sku]: Decimal(good.price) for good in shop.firm.goods}
    return expected(log.entries, shop.firm.slug, rates, prices)


if __name__ == "__main__":
    main()
