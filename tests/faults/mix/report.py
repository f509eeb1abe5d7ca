"""What a run came to, for people and for machines: the same figures as a table on the screen, as Markdown and as JSON."""

import json
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mix.checks import Check
from mix.run import Outcome


def summary(outcome: Outcome) -> dict[str, Any]:
    """Times in seconds. What the seed decides, and what came of it."""
    plan, counts, recoveries = outcome.plan, outcome.evidence.counts, sorted(outcome.recoveries)
    again = len(outcome.evidence.records) - len({record.id for record in outcome.evidence.records})
    return {
        "seed": plan.seed,
        "events": outcome.events,
        "jobs": outcome.jobs,
        "requests": outcome.requests,
        "companies": plan.companies,
        "seconds of traffic": round(outcome.trading, 1),
        "events per second": round(outcome.events / outcome.trading, 1),
        "seconds until quiet": round(outcome.settling, 1),
        "recovery p50": _share(recoveries, 0.5),
        "recovery p95": _share(recoveries, 0.95),
        "recovery max": _share(recoveries, 1.0),
        "unknown outcomes": counts["unknown"],
        "answered from memory": counts["answered from memory"],
        "events twice on topics": again,
        "republished": counts["republished"],
        "read again": outcome.evidence.read_again,
        "forged": counts["forged"],
        "dead_letters": len(outcome.evidence.dead_letters),
        "versions": {
            **outcome.versions,
            "Python": platform.python_version(),
            **{name: version(name) for name in ("fastapi", "sqlalchemy", "asyncpg", "aiokafka")},
        },
        "faults": dict(sorted(Counter(str(fault) for fault in outcome.faults).items())),
    }


def show(console: Console, outcome: Outcome, checks: list[Check]) -> None:
    table = Table("Whose", "Figure", "Found", "From the requests", "")
    for check in checks:
        table.add_row(check.whose, check.name, check.found, check.wanted, "✓" if check.holds else "[bold red]✗[/]")
    console.print(table)
    for check in checks:
        if not check.holds:
            console.print(f"{check.whose}, {check.name}: {check.example}", style="red", highlight=False)
    for name, value in summary(outcome).items():
        text = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else f"{value:,}"
        console.print(f"{name:<22} {text}", highlight=False)
    verdict = "every figure agrees" if all(check.holds for check in checks) else "some figures are wrong"
    console.print(f"Seed {outcome.plan.seed}: {verdict}.", style="bold")


def save(folder: Path, outcome: Outcome, checks: list[Check]) -> None:
    """faults.json and faults.md."""
    folder.mkdir(parents=True, exist_ok=True)
    told = summary(outcome)
    recoveries = [
        {"fault": str(fault), "seconds": round(took, 1)}
        for fault, took in zip(outcome.faults, outcome.recoveries, strict=True)
    ]
    rows = [{**vars(check), "holds": check.holds} for check in checks]
    document = {**told, "recoveries": recoveries, "checks": rows}
    (folder / "faults.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "faults.md").write_text(_markdown(told, checks))


def _markdown(told: dict[str, Any], checks: list[Check]) -> str:
    lines = [
        "# The mix under faults",
        "",
        f"Written by `make faults SEED={told['seed']} EVENTS=… REPORT=1`. The seed decides companies, jobs and faults; when exactly a fault "
        "meets a request is not repeatable.",
        "",
        "Times are in seconds. A recovery lasts from the beginning of a fault, which may itself be a pause or a rebuild, until an order placed after "
        "it has been shipped and posted, with traffic going on. A request of unknown outcome got no answer, or one that "
        "leaves it open, and was sent again with its key. A forged event becomes one dead letter in each service that cannot take it.",
        "",
        "| | |",
        "|---|---|",
    ]
    for name, value in told.items():
        text = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else f"{value:,}"
        lines.append(f"| {name} | {text} |")
    lines += ["", "| Whose | Figure | Found | From the requests | |", "|---|---|---|---|---|"]
    lines += [f"| {c.whose} | {c.name} | {c.found} | {c.wanted} | {'✓' if c.holds else '✗'} |" for c in checks]
    return "\n".join(lines) + "\n"


def _share(values: list[float], part: float) -> float:
    """The value that such a part of them does not exceed; 0 when there are none."""
    return round(values[min(len(values) - 1, int(len(values) * part))], 1) if values else 0.0
