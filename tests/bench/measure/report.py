"""The figures for people and for machines: a table on the screen, Markdown and JSON, with what was aimed at and whether it was reached."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from measure.arithmetic import FULL, LARGE, TARGETS

Document = dict[str, Any]
_MARK = {"met": "✓ met", "missed": "✗ missed", "failed": "✗ failed", "not measured": "– not measured"}
_LATENCY = ("n", "p50 ms", "p90 ms", "p99 ms", "max ms")


def judged(document: Document) -> list[dict[str, Any]]:
    """Every target for the sizes that were run, with what was found and its verdict."""
    rows = []
    for target in TARGETS:
        for of, results in _of(document, target.of):
            value = target.find(results)
            # A part that was measured of less says nothing of the whole.
            whole = not isinstance(target.of, str) or results.get("n", 0) >= FULL[target.of]
            rows.append(
                {
                    "of": of,
                    "figure": target.name,
                    "bound": target.bound,
                    "at least": target.at_least,
                    "unit": target.unit,
                    "found": value,
                    "verdict": target.judge(value) if value is not None and whole else "not measured",
                }
            )
    return rows


def _of(document: Document, of: int | str | None) -> Iterator[tuple[str, Document]]:
    """What a target is of, in words, and the results of that, as far as it was run; of small fleets there may be several."""
    if isinstance(of, str):
        if (part := document.get("parts", {}).get(of)) is not None:
            yield f"{part['n']:,}", part
        return
    for size, fleet in document["fleets"].items():
        if int(size) == of or (of is None and int(size) < LARGE):
            yield size, fleet


def save(folder: Path, document: Document) -> None:
    """bench.json and bench.md, also of a run that has not come to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {**document, "targets": judged(document)}
    (folder / "bench.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    (folder / "bench.md").write_text(_markdown(told))


def show(console: Console, document: Document) -> None:
    for title, head, rows in _tables({**document, "targets": judged(document)}):
        table = Table(*head, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        if rows:
            console.print(table)


def _markdown(document: Document) -> str:
    lines = [
        "# What the platform costs and how quick it is",
        "",
        f"Written by `{_command(document)}`; [how to measure](../how-to/measure.md) says what each figure means."
        + ("" if document.get("complete") else " **This run did not come to its end.**"),
    ]
    for title, head, rows in _tables(document):
        if rows:
            lines += ["", f"## {title}", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
            lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _command(document: Document) -> str:
    """The run that fleets were measured in; parts may be of a later one, of which each says its load."""
    if (asked := document.get("asked")) is None:
        return f"make bench ONLY={','.join(document['parts'])} REPORT=1"
    return f"make bench SERVICES={asked['services']} SECONDS={asked['seconds']:g} REPORT=1"


def _tables(document: Document) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    fleets = document["fleets"]
    targets: list[tuple[str, ...]] = [
        (
            t["of"],
            t["figure"],
            f"{'at least' if t['at least'] else 'at most'} {t['bound']:,g} {t['unit']}",
            _value(t["found"]),
            _MARK[t["verdict"]],
        )
        for t in document["targets"]
    ]
    yield "Targets", ("Services, rows, events or requests", "Figure", "Aim", "Found", ""), targets
    yield "Latency, ms", ("Services", "Commits", "Settings", "Commit →", *_names(_LATENCY)), list(_latency(fleets))
    yield "From an event to the live feed, ms", ("Services", *_names(_LATENCY)), list(_news(fleets))
    view = ("Services", "View", "n", "REST", "GraphQL", "times REST")
    yield "Views by GraphQL and by REST, ms", view, list(_views(fleets))
    parts_head = ("Rows", "Question", "p50", "p95", "on processors", "load before")
    yield "Reports, ms", parts_head, list(_questions(document, "reports"))
    yield "Wide questions to the lake, ms", parts_head, list(_questions(document, "wide"))
    yield (
        "Rows of reports made of events",
        ("Events", "a second", "a second of a core", "load before"),
        list(_made(document)),
    )
    sides = ("service", "PostgreSQL", "peer", "PostgreSQL", "times", "times, all", "load before")
    yield "A request within a service, CPU in µs", ("Requests", "What", *sides), list(_asked(document))
    yield "Where a request's CPU goes, µs", ("Request", "Stage", "µs"), list(_stages(document))
    yield "Start and stop, s", ("Services", "Generate", "Cold", "Warm", "Stop", "Each used once"), list(_times(fleets))
    parts = ("postgres", "kafka", "connect", "gateway", "services", "supervisor", "together")
    yield "Memory, MiB (PSS)", ("Services", "When", *parts), list(_by_part(fleets, "memory", parts))
    yield "Idle CPU, cores", ("Services", "", *parts), list(_by_part(fleets, "idle", parts))
    yield "Idle CPU of the busiest threads, cores", ("Services", "Thread", "Cores"), list(_threads(fleets))
    yield "CPU under load, cores", ("Services", "While", *parts), list(_loads(fleets, parts))
    yield "CPU above idle, ms", ("Services", "For each", *parts), list(_costs(fleets, parts))
    yield "Throughput", ("Services", "What", "Per second", "n"), list(_throughput(fleets))
    locks = [
        (way, *(_value(each[part]) for part in ("broker", "client"))) for way, each in document.get("locks", {}).items()
    ]
    yield "CPU of Kafka for each record, written and read, µs", ("Kafka is", "broker", "client"), locks
    yield (
        "Others while one attacks the gateway, ms",
        ("Services", "While", *_names(_LATENCY), "failed"),
        list(_attacks(fleets)),
    )
    failed = [(name, "", each["error"]) for name, each in document.get("parts", {}).items() if "error" in each]
    yield "What went wrong", ("Services", "Step", "Error"), [*_errors(fleets), *failed]
    events = {**document["machine"], **next((f["versions"] for f in fleets.values() if "versions" in f), {})}
    yield "Machine", ("", ""), [(name, str(value)) for name, value in events.items()]


def _latency(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for rate, how, found in _ways(fleet):
            interval = fleet["latency"]["poll.interval.ms"][how]
            for where in ("Kafka", "read model"):
                yield size, rate, f"{how} ({interval} ms)", where, *(_value(found[where][key]) for key in _LATENCY)


def _ways(fleet: Document) -> Iterator[tuple[str, str, Document]]:
    """Rate, settings and what was found."""
    for rate, ways in _pairs(fleet, "latency"):
        if rate != "poll.interval.ms" and "error" not in ways:
            yield from ((rate, how, found) for how, found in ways.items())


def _news(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        if "p50 ms" in (found := fleet.get("news", {})):
            yield size, *(_value(found[key]) for key in _LATENCY)


def _views(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        found = fleet.get("views", {})
        for view, each in found.get("figures", {}).items():
            told = (_value(each[key]) for key in ("REST ms", "GraphQL ms", "times REST"))
            yield size, view, str(found["n"]), *told


def _questions(document: Document, part: str) -> Iterator[tuple[str, ...]]:
    found = document.get("parts", {}).get(part, {})
    for what, each in found.get("figures", {}).items():
        told = (_value(each[key]) for key in ("p50 ms", "p95 ms", "processor ms"))
        yield f"{found['n']:,}", what, *told, _value(found["load before"])


def _made(document: Document) -> Iterator[tuple[str, ...]]:
    found = document.get("parts", {}).get("ingest", {})
    if "per second" in found:
        yield f"{found['n']:,}", *(_value(found[key]) for key in ("per second", "per second of a core", "load before"))


def _asked(document: Document) -> Iterator[tuple[str, ...]]:
    found = document.get("parts", {}).get("request", {})
    names = ("service own µs", "service database µs", "peer own µs", "peer database µs")
    for what, each in found.get("figures", {}).items():
        told = (_value(each[name]) for name in (*names, "times peer", "times peer, with PostgreSQL"))
        yield f"{found['n']:,}", what, *told, _value(found["load before"])


def _stages(document: Document) -> Iterator[tuple[str, ...]]:
    for what, each in document.get("parts", {}).get("request", {}).get("figures", {}).items():
        yield from ((what, stage, _value(spent)) for stage, spent in each["stages µs"].items())


def _attacks(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for name, found in _pairs(fleet, "attacks"):
            if isinstance(found, dict):
                yield size, name, *(_value(found[key]) for key in (*_LATENCY, "failed"))


def _times(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        steps = ("generate", "cold start", "warm start", "stop", "visit")
        yield size, *(_value(fleet.get(step, {}).get("seconds")) for step in steps)


def _by_part(fleets: Document, step: str, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for when, figures in _pairs(fleet, step):
            if isinstance(figures, dict) and "together" in figures:
                yield size, when, *(_value(figures.get(part)) for part in parts)


def _threads(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for thread, cores in fleet.get("idle", {}).get("threads", {}).items():
            yield size, thread, _value(cores)


def _costs(fleets: Document, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for name, used in _used(fleet):
            yield size, name, *(_value(used.get(part)) for part in parts)


def _loads(fleets: Document, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        for rate, how, found in _ways(fleet):
            yield size, f"{rate}, {how}", *(_value(found["cores"].get(part)) for part in parts)
        if "cores" in fleet.get("orders", {}):
            yield size, "orders", *(_value(fleet["orders"]["cores"].get(part)) for part in parts)


def _used(fleet: Document) -> Iterator[tuple[str, Document]]:
    yield from ((f"event, {rate}, {how}", found["CPU ms per event"]) for rate, how, found in _ways(fleet))
    for what, found in _pairs(fleet, "requests"):
        if isinstance(found, dict):
            yield f"{what} through the gateway", found["CPU ms per request"]
    if "CPU ms per order" in fleet.get("orders", {}):
        yield "order, with all that follows meanwhile", fleet["orders"]["CPU ms per order"]


def _throughput(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        orders = fleet.get("orders", {})
        if "accepted per second" in orders:
            quick = f"p50 {orders['p50 ms']} ms, p99 {orders['p99 ms']} ms"
            yield (
                size,
                f"orders accepted, {orders['clients']} clients, {quick}",
                _value(orders["accepted per second"]),
                str(orders["n"]),
            )
            if "seconds" in (last := orders["one more, all the way"]):
                yield size, f"one more order behind them, all the way to the books, after {last['seconds']} s", "", "1"
        for what, found in _pairs(fleet, "requests"):
            if isinstance(found, dict):
                quick = f"p50 {found['p50 ms']} ms, p99 {found['p99 ms']} ms"
                yield size, f"{what}s, one client, {quick}", "", str(found["n"])
        for what, found in _pairs(fleet, "projections"):
            if isinstance(found, dict):
                yield size, f"events projected: {what}", _value(found["per second"]), str(found["n"])


def _errors(fleets: Document) -> Iterator[tuple[str, ...]]:
    for size, fleet in fleets.items():
        if fleet.get("started again"):
            yield (
                size,
                "the fleet",
                f"something was started again {fleet['started again']} times: do not trust these figures",
            )
        yield from ((size, step, error) for step, error in errors(fleet))


def errors(fleet: Document) -> list[tuple[str, str]]:
    """Each step that failed, or a part of it, and how."""
    found: list[tuple[str, str]] = []
    for step, told in fleet.items():
        if isinstance(told, dict):
            parts = {step: told, **{f"{step}, {part}": each for part, each in told.items() if isinstance(each, dict)}}
            found += [(name, str(each["error"])) for name, each in parts.items() if "error" in each]
    return found


def _pairs(fleet: Document, step: str) -> Iterator[tuple[str, Any]]:
    found = fleet.get(step, {})
    return iter(() if "error" in found else found.items())


def _names(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key.removesuffix(" ms") for key in keys)


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g}" if abs(value) < 1 else f"{value:,.1f}".removesuffix(".0")
