"""How the result is shown to a person, and kept for a program."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from tailrace_demo.books import Check
from tailrace_demo.companies import PASSWORD, Firm
from tailrace_demo.forwarder import Told
from tailrace_demo.morning import Morning
from tailrace_demo.setup import Shop
from tailrace_demo.templated import Templated
from tailrace_demo.topics import Event, Latency
from tailrace_demo.traces import Verdict


def show_checks(console: Console, results: dict[str, tuple[Firm, list[Check]]]) -> None:
    """A table per company: what the platform says, what follows from the requests, and whether they agree."""
    for firm, checks in results.values():
        what = f"{firm.industry}, {firm.currency}, {firm.time_zone}"
        _show_figures(console, f"{firm.name} ({what})", "In the books", checks, firm)


def _show_figures(console: Console, title: str, where: str, checks: list[Check], firm: Firm) -> None:
    table = Table(title=title, title_justify="left", expand=False)
    for heading in ("Figure", where, "From the requests", ""):
        table.add_column(heading, justify="left" if heading == "Figure" else "right")
    for check in checks:
        mark = "[green]✓[/]" if check.holds else "[bold red]✗[/]"
        table.add_row(check.name, _text(check, check.found, firm), _text(check, check.wanted, firm), mark)
    console.print(table)


def show_templates(console: Console, makers: dict[str, Templated]) -> None:
    """What the template of each manufacturer says, in a line, by its name."""
    for name, made in makers.items():
        console.print(f"{name} goes by {made}", highlight=False)


def show_morning(console: Console, shop: Shop, seen: Morning, picture: Path) -> None:
    """What a manager reads, how far the reports have read, and what came meanwhile."""
    _show_figures(
        console, f"The reports of {shop.firm.name}, as its manager reads them", "Reported", seen.checks, shop.firm
    )
    until = "nobody can tell" if seen.complete_until is None else f"{seen.complete_until:%H:%M:%S} UTC"
    behind = "nobody can tell how many" if seen.behind is None else f"{seen.behind:,}"
    console.print(f"Complete until {until}; {behind} events still to be read. What was shipped is drawn in {picture}")
    console.print(f"Told meanwhile: “{seen.news}”, {seen.told_after * 1000:,.0f} ms after it was asked for")


def show_partner(console: Console, shop: Shop, told: Told) -> None:
    """What a partner was told, and how anybody can read on as that partner."""
    _show_figures(console, f"What {shop.firm.name} tells its freight forwarder", "On its topic", told.checks, shop.firm)
    for line in told.last:
        console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
    console.print(f"Topic {told.topic}\nuser {told.user}\npassword {told.password}", highlight=False)


def show_topics(console: Console, topics: dict[str, int], latency: Latency | None) -> None:
    table = Table(title="Events per topic", title_justify="left")
    table.add_column("Topic")
    table.add_column("Events", justify="right")
    for topic, count in topics.items():
        table.add_row(topic, f"{count:,}")
    console.print(table)
    if latency is not None:
        console.print(
            f"From one service's commit to the next one's because of it: median {latency.median:,.0f} ms, "
            f"p99 {latency.p99:,.0f} ms\n({latency.count:,} pairs, under the full load of this job)"
        )


def show_story(console: Console, number: str, story: list[tuple[int, Event]]) -> None:
    """One order's causal chain as a tree, with milliseconds since its first event."""
    if not story:
        return
    began = story[0][1].time
    tree = Tree(f"What order {number} set in motion")
    branches: dict[int, Tree] = {}
    for depth, event in story:
        after = (event.time - began).total_seconds() * 1000
        line = f"[bold]{event.type}[/]  [dim]{event.topic}  +{after:,.0f} ms[/]"
        branches[depth] = (branches[depth - 1] if depth else tree).add(line)
    console.print(tree)


def show_trace(console: Console, gateway: str, order_id: str, nodes: int, picture: Path) -> None:
    console.print(
        f"From the click to the journal line, {nodes} events and requests: {gateway}/v1/trace/{order_id}\nDrawn in {picture}"
    )


def show_traces(console: Console, checked: Verdict) -> None:
    """How many traces say what the topics and the requests say; of those that do not, which and why."""
    if checked.asked:
        console.print(
            f"Traces of {checked.orders:,} orders, forward and back, against the topics and the requests: "
            f"{checked.asked:,} asked for, {checked.nodes:,} events, median {checked.median:,.0f} ms, "
            f"p99 {checked.p99:,.0f} ms, {len(checked.wrong)} wrong"
        )
    for order_id, why in checked.wrong.items():
        console.print(f"[bold red]✗[/] trace of order {order_id}: {why}")


def show_log_ins(console: Console, gateway: str, shops: list[Shop]) -> None:
    table = Table(title=f"Log in at {gateway}/docs", title_justify="left")
    for heading in ("Tenant", "E-mail", "Password"):
        table.add_column(heading, no_wrap=True)
    for shop in shops:
        table.add_row(shop.firm.slug, shop.admin.email, PASSWORD)
    console.print(table)


def save(
    path: Path,
    results: dict[str, tuple[Firm, list[Check]]],
    topics: dict[str, int],
    latency: Latency | None,
    traces: Verdict,
) -> None:
    """The same as JSON."""
    document: dict[str, Any] = {
        "companies": {
            slug: [{"figure": c.name, "found": str(c.found), "wanted": str(c.wanted), "holds": c.holds} for c in checks]
            for slug, (_, checks) in results.items()
        },
        "topics": topics,
        "latency_ms": None
        if latency is None
        else {"pairs": latency.count, "median": latency.median, "p99": latency.p99},
        "traces": {"orders": traces.orders, "asked": traces.asked, "events": traces.nodes, "wrong": traces.wrong},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def _text(check: Check, value: Any, firm: Firm) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in value.items())
    if isinstance(value, int) and not check.counted:
        return f"{firm.currency} {value / 10**firm.digits:,.{firm.digits}f}"
    return f"{value:,}"
