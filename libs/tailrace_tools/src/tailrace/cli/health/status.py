"""`tailrace status`: what runs, from the state files alone and one question to each service, which also counts its dead letters."""

import dataclasses
import json
import time
from concurrent.futures import ThreadPoolExecutor

from rich.table import Table
from rich.text import Text

from tailrace.cli.console import coloured, mark, out, say_failure
from tailrace.cli.health.service_answers import Answer, ask, span, told_dead_letters, told_reading
from tailrace.cli.lifecycle import print_addresses
from tailrace.cli.running import elsewhere
from tailrace.stack.layout import HOST, Layout
from tailrace.stack.state import Capture, Part, State, fleet_status


def show_status(as_json: bool) -> bool:
    """Print it; says whether everything is ready."""
    if (there := elsewhere()) is not None:
        from tailrace.cli.health.elsewhere import show_status as show

        return show(there, as_json=as_json)
    layout = Layout.from_environment()
    state = State.load(layout.state)
    running = state is not None and state.running
    services = ask_services(layout) if running else {}
    ready = state is not None and running and _all_ready(state, services)
    if as_json:
        known = dataclasses.asdict(state) if state else {}
        out.print_json(json.dumps({**known, "running": running, "ready": ready, "services": services}))
        return ready
    if state is None or not running:
        _print_absent(layout, state)
        return False
    _print_parts(state)
    _print_services(services)
    _print_connectors(state)
    print_addresses(layout, state)
    return ready


def _all_ready(state: State, services: dict[str, Answer]) -> bool:
    parts = all(part.phase == "ready" for part in state.parts.values())
    connectors = all(each.well for each in state.connectors.values())
    return state.phase == "ready" and parts and connectors and all(each["ready"] for each in services.values())


def ask_services(layout: Layout) -> dict[str, Answer]:
    """What the fleet wrote about each service, with its own answer under `ready` and `answer`, and its dead letters (see `redrive.reminder`)."""
    known = fleet_status(layout)
    if not known:
        return {}
    with ThreadPoolExecutor(len(known)) as pool:
        answers = list(pool.map(lambda each: ask(f"http://{HOST}:{each['port']}"), known.values()))
    return {name: {**entry, **answer} for (name, entry), answer in zip(known.items(), answers, strict=True)}


def _print_absent(layout: Layout, state: State | None) -> None:
    if state is not None and state.phase == "failed":
        say_failure(state.failure, state.remedy)
    elif state is not None and state.phase == "ready":
        say_failure("the supervisor was killed", "start again with: tailrace up")
    out.print(f"Nothing is running in {layout.data}. Start it with: tailrace up")


def _print_parts(state: State) -> None:
    out.print(Text("Stack ", "bold") + coloured(state.phase))
    table = Table.grid(padding=(0, 2))
    for name, part in state.parts.items():
        table.add_row(
            "", mark(part.phase), name, coloured(part.phase), _pid(part), _port(part.port), Text(_story(part), "dim")
        )
    out.print(table)


def _pid(part: Part) -> str:
    return f"pid {part.process.pid}" if part.process else ""


def _port(port: int | None) -> str:
    return f"port {port}" if port else ""


def _story(part: Part) -> str:
    words = [part.detail] if part.detail else []
    if part.process:
        words.append(f"for {span(time.time() - part.since)}")
    return ", ".join(words)


def _print_services(services: dict[str, Answer]) -> None:
    if not services:
        return
    out.print(Text("Services", "bold"))
    table = Table.grid(padding=(0, 2))
    dead_letters = {name: told for name, each in sorted(services.items()) if (told := told_dead_letters(each))}
    for name, each in sorted(services.items()):
        phase = "ready" if each["ready"] else "failed"
        restarts = f"restarted {each['restarts']} times" if each.get("restarts") else ""
        why = ", ".join(filter(None, [told_reading(each), each.get("consumer"), restarts]))
        if not each["ready"]:
            why = f"{each['answer']}  → tailrace logs {name}"
        table.add_row(
            "", mark(phase), name, coloured(phase), f"pid {each['pid']}", _port(each["port"]), Text(why, "dim")
        )
    out.print(table)
    if dead_letters:
        out.print(Text("Dead letters", "bold"))
    for name, told in dead_letters.items():
        out.print(Text("  ! ", "red") + Text(f"{name}: {told}  → tailrace dlq list --service {name}"))


def _print_connectors(state: State) -> None:
    if not state.connectors:
        return
    out.print(Text("Connectors", "bold"))
    table = Table.grid(padding=(0, 2))
    for name, each in sorted(state.connectors.items()):
        colour = "dim" if each.well else "red"
        table.add_row("", name, coloured(each.state), Text(", ".join(_capture_story(each)), colour))
    out.print(table)


def _capture_story(each: Capture) -> list[str]:
    """What is wrong, what is done about it, what was done before."""
    arrived = f"canary {span(time.time() - each.arrived_at)} ago" if each.arrived_at else ""
    restarts = f"restarted {each.restarts} times" if each.restarts else ""
    repairs = f"repaired {each.repairs} times, last: {each.repaired}" if each.repairs else ""
    return list(filter(None, [each.trouble, each.doing, each.reason, arrived, restarts, repairs]))
