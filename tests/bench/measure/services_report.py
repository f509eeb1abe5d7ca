"""The figures of further services: a table on the screen, Markdown and JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Document = dict[str, Any]
Figure = dict[str, Any]
_HEAD = ("What", "Unit", "Before", "With them", "Each further one")


def figure(what: str, unit: str, before: float, after: float, by: int) -> Figure:
    """`by` further services made the difference."""
    each = (after - before) / by
    return {"what": what, "unit": unit, "before": round(before, 3), "after": round(after, 3), "each": round(each, 3)}


def is_too_dear(document: Document, most: float) -> bool:
    """Whether the tests of a further service cost more CPU seconds than that."""
    return any(each["each"] > most for each in document["figures"] if "tests" in each["what"])


def save(folder: Path, document: Document) -> None:
    """services.json and services.md, also of a run that has not come to its end. Figures of parts that were not measured now stay, of as many
    services."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {**document, "figures": [*_others(folder / "services.json", document), *document["figures"]]}
    (folder / "services.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (folder / "services.md").write_text(_markdown(document))


def _others(saved: Path, document: Document) -> list[Figure]:
    before: Document = json.loads(saved.read_text()) if saved.exists() else {}
    if before.get("services") != document.get("services"):
        return []
    measured = {each["what"] for each in document["figures"]}
    return [each for each in before["figures"] if each["what"] not in measured]


def show(console: Console, document: Document) -> None:
    table = Table(*_HEAD, title=_title(document), title_justify="left")
    for row in _rows(document):
        table.add_row(*row)
    console.print(table)


def _title(document: Document) -> str:
    fewer, more = document["services"]
    return f"{fewer} services, and {more} with {document['asked']['services']} that were made with {document['asked']['with']}"


def _markdown(document: Document) -> str:
    end = "" if document["complete"] else " **This run did not come to its end.**"
    lines = [
        "# What a further service costs",
        "",
        f"Written by `make bench-services N={document['asked']['services']} REPORT=1`; "
        f"[how to measure](../how-to/measure.md) says what each figure means.{end}",
        "",
        f"{_title(document)}.",
        "",
        *_table(_HEAD, _rows(document)),
    ]
    if document["failed"]:
        failed = [(part, " ".join(said.split())) for part, said in document["failed"].items()]
        lines += ["", "## What failed", "", *_table(("Part", "Error"), failed)]
    lines += ["", "## Machine", "", *_table(("", ""), [(name, str(at)) for name, at in document["machine"].items()])]
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def _rows(document: Document) -> list[tuple[str, ...]]:
    return [
        (each["what"], each["unit"], *(_value(each[column]) for column in ("before", "after", "each")))
        for each in document["figures"]
    ]


def _value(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 1 else f"{value:,.1f}".removesuffix(".0")
