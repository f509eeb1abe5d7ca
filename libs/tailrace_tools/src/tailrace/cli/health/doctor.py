"""`tailrace doctor`: everything the stack needs of this machine, checked one by one, each failure with its remedy."""

import asyncio
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from tailrace.cli.console import mark, out
from tailrace.cli.health.service_answers import told_dead_letters
from tailrace.cli.health.status import ask_services
from tailrace.cli.health.texts import odd_texts
from tailrace.cli.running import elsewhere, enter_environment
from tailrace.core.operator_error import OperatorError
from tailrace.settings import Settings
from tailrace.stack.accounts import database_account
from tailrace.stack.artifacts import Lock, cache_folder, corrupt, missing
from tailrace.stack.java import find_java
from tailrace.stack.layout import Layout, is_free
from tailrace.stack.plan import External, Plan, counted_ports
from tailrace.stack.postgres import check_platform
from tailrace.stack.processes import listener
from tailrace.stack.state import State

DISK = 2 * 1024**3
MEMORY = 3 * 1024**3
_OVERDUE = timedelta(hours=2)
"""How much later than asked for a backup may be: it is taken within minutes, and takes its time."""


@dataclass(frozen=True)
class Finding:
    good: bool
    text: str
    remedy: str = ""


def examine() -> bool:
    """Print every finding; says whether all are good. Of a platform elsewhere, its parts and services are looked at, and not this machine."""
    layout = Layout.from_environment()
    checks = CHECKS if elsewhere() is None else (_elsewhere, _texts)
    findings = [finding for check in checks for finding in _guarded(check, layout)]
    for finding in findings:
        out.print(mark("ready" if finding.good else "failed") + Text(f" {finding.text}"))
        if not finding.good and finding.remedy:
            out.print(f"    → {finding.remedy}")
    return all(finding.good for finding in findings)


def _guarded(check: "Callable[[Layout], Iterator[Finding]]", layout: Layout) -> Iterator[Finding]:
    try:
        yield from check(layout)
    except OperatorError as error:
        yield Finding(False, error.what, error.remedy)


def _machine(_: Layout) -> Iterator[Finding]:
    check_platform()
    yield Finding(True, "Linux on x86_64 with glibc")
    yield Finding(True, f"Python {platform.python_version()}")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding(total >= MEMORY, f"{total / 1024**3:.1f} GB of memory", "the whole stack wants 3 GB")


def _folders(layout: Layout) -> Iterator[Finding]:
    existing = next(folder for folder in (layout.data, *layout.data.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    yield Finding(
        free >= DISK, f"{free / 1024**3:.1f} GB free for {layout.data}", "free some space, or set TAILRACE_DATA"
    )
    yield Finding(os.access(existing, os.W_OK), f"{existing} can be written", "set TAILRACE_DATA to a folder of yours")
    account = database_account()
    yield Finding(
        True,
        "PostgreSQL runs as this user"
        if account.is_caller
        else f"PostgreSQL runs as uid {account.uid}, since this user is root",
    )


def _programs(layout: Layout) -> Iterator[Finding]:
    java = find_java()
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr.partition("\n")[0]
    yield Finding(bool(version), f"Java: {version or java}", "set JAVA_HOME to a Java of version 17 or newer")
    lock, cache = Lock.load(), cache_folder(layout.data)
    absent, broken = missing(lock.artifacts, cache), corrupt(lock.artifacts, cache)
    text = f"{len(lock.artifacts) - len(absent)} of {len(lock.artifacts)} files of the stack are in {cache}"
    yield Finding(True, f"{text}; the next start downloads the rest" if absent else text)
    for artifact in broken:
        yield Finding(
            False, f"{artifact.here(cache)} is not what the lock names", "delete it; the next start downloads it again"
        )


def _ports(layout: Layout) -> Iterator[Finding]:
    state = State.load(layout.state)
    if state is not None and state.running:
        yield Finding(state.phase == "ready", f"the stack is {state.phase}", "see: tailrace status")
        yield from not_running(state)
        return
    plan = Plan(layout, counted_ports(layout), "fleet", External.from_environment())
    taken = {name: port for name, port in plan.listeners().items() if not is_free(port)}
    for name, port in taken.items():
        holder = listener(port) or "a process of another user"
        yield Finding(
            False,
            f"port {port}, wanted for {name}, is taken by {holder}",
            "end it, or set TAILRACE_PORT_BASE or TAILRACE_GATEWAY_PORT",
        )
    if not taken:
        yield Finding(True, f"ports {plan.ports.base} and up and {plan.ports.gateway} are free")


def not_running(state: State) -> Iterator[Finding]:
    """Of a stack that came up: what does not run any more, or not yet again."""
    for name, part in sorted(state.parts.items()):
        if state.phase == "ready" and part.phase != "ready":
            words = f"{name} is {part.phase}" + (f": {part.detail}" if part.detail else "")
            yield Finding(False, words, f"see why: tailrace logs {name}")


def _events(layout: Layout) -> Iterator[Finding]:
    """What stands still in the services that run."""
    state = State.load(layout.state)
    if state is None or not state.running:
        return
    services = ask_services(layout)
    for name, service in sorted(services.items()):
        if told := told_dead_letters(service):
            yield Finding(False, f"{name} has {told}", f"see what and why: tailrace dlq list --service {name}")
        elif not service["ready"]:
            yield Finding(False, f"{name} is not ready: {service['answer']}", f"see: tailrace logs {name}")
    if services and not any(service.get("dead_letters") for service in services.values()):
        yield Finding(True, "no dead letters")


def _capture(layout: Layout) -> Iterator[Finding]:
    """As the stack's monitor sees it."""
    state = State.load(layout.state)
    if state is None or not state.running or not state.connectors:
        return
    for name, each in sorted(state.connectors.items()):
        if not each.well:
            what = each.trouble or each.reason or f"its connector is {each.state}"
            restored = "tailrace restored" in what
            remedy = "see: tailrace restored show" if restored else "the stack repairs it; see: tailrace capture status"
            yield Finding(False, f"capture of {name}: {what}", each.doing or remedy)
    if all(each.well for each in state.connectors.values()):
        yield Finding(True, f"{len(state.connectors)} connectors carry events to Kafka")


def _backups(layout: Layout) -> Iterator[Finding]:
    """Of a stack that runs: whether there is a moment to go back to, and how old the newest is."""
    from tailrace.stack.backup.daily import newest_of
    from tailrace.stack.backup.folder import Backups, Target
    from tailrace.stack.backup.moments import LATE, RENEWED

    state, target = State.load(layout.state), Target.load(layout)
    if state is None or not state.running or target is None:
        return
    backups = Backups(Path(target.folder))
    moments = backups.series(target.series).moments()
    # One that came up a moment ago has had no time for one.
    since = max(state.parts["postgres"].since if "postgres" in state.parts else 0.0, state.began)
    age = time.time() - max(moments[-1].at.timestamp() if moments else 0.0, since)
    yield Finding(
        age < LATE,
        f"the newest moment to go back to, in {target.folder}, is {age:.0f} s old",
        "see why: tailrace logs supervisor; is the folder there, and not full?",
    )
    newest, now = newest_of(target), datetime.now(UTC)
    if newest is not None and (old := now - newest) > RENEWED:
        yield Finding(
            False, f"the newest backup is {old.days} days old, and Kafka's copy with it", "take one: tailrace backup"
        )
    elif newest is not None and target.every:
        due = max(newest + timedelta(hours=target.every), datetime.fromtimestamp(since, UTC))
        if now > due + _OVERDUE:
            hours = (now - newest) / timedelta(hours=1)
            said = f"the newest backup is {hours:.0f} hours old, and one each {target.every} hours was asked for"
            yield Finding(False, said, "see why: tailrace logs supervisor")


def _elsewhere(_: Layout) -> Iterator[Finding]:
    from tailrace.cli.health.elsewhere import findings

    there = elsewhere()
    assert there is not None
    yield from (Finding(*each) for each in findings(there))


def _texts(layout: Layout) -> Iterator[Finding]:
    """Texts from before there were rules, which a person cannot tell from others (`tailrace.core.values.text`)."""
    state = State.load(layout.state)
    if elsewhere() is None and (state is None or not state.running or state.phase != "ready"):
        return
    enter_environment()
    found = asyncio.run(odd_texts(Settings().postgres))
    for place, count in found.items():
        yield Finding(
            False,
            f"{place} holds {count:,} {'text' if count == 1 else 'texts'} in another spelling, or with characters that nobody sees",
            "replace the row with the same text, written again; lists and searches show it as it stands",
        )
    if not found:
        yield Finding(True, "every text is in the spelling that new ones are kept in")


CHECKS = (_machine, _folders, _programs, _ports, _events, _capture, _backups, _texts)
