"""What the designs that the platform joins name to the letter, and where it is: a page that cannot claim more than the contracts hold."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tailrace.service import Service

_PARAMETER = re.compile(r"\{[^}]*\}")
_VERSION = re.compile(r"^/v\d+(?=/)")
_KINDS = ("endpoint", "event", "part")
_COLUMNS = ("design", "kind", "name")


class Named(NamedTuple):
    """A name that a design gives: an endpoint as `GET /tasks/{}`, with `{}` for each parameter and without a version, a type of event, or a part of
    the whole in its own words.

    Where a part is no contract tells: `where` has the paths, with commas between them, and is empty for what is not there.
    """

    design: str
    kind: str
    name: str
    where: str | None = None

    @property
    def paths(self) -> list[str]:
        return self.where.split(", ") if self.where else []


def named_in(text: str) -> list[Named]:
    """The lines of a file of tab-separated values with the columns of `Named`. Raises ValueError for anything else."""
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    if tuple(rows.fieldnames or ())[:3] != _COLUMNS or tuple(rows.fieldnames or ())[3:] not in ((), ("where",)):
        raise ValueError(f"the first line is not {' '.join(_COLUMNS)}, and where")
    found = [Named(**row) for row in rows]
    for row in found:
        if row.kind not in _KINDS or not row.name or (row.where and row.kind != "part"):
            raise ValueError(f"not a name that a design gives: {row}")
    return found


def seeds_page(named: Sequence[Named], services: Sequence[Service], openapi: Mapping[str, Any]) -> str:
    """Each name by design, with the operation or the topic that it became, or for a part the paths where it is."""
    place = _endpoints(openapi) | _events(services)
    place |= {(row.kind, row.name): _shown(row.paths) for row in named if row.paths}
    lines = [
        "# Names from the designs",
        "",
        "Generated from the contracts: `tailrace describe`.",
        "",
        "Tailrace joins five designs. The endpoints and events that they name are kept to the letter, below `/v1`; this page says which exist. "
        "Of a design that names neither, each part stands with the place where it is. What each context owns and how contexts work together is in "
        "[Architecture](../explanation/architecture.md).",
        "",
    ]
    for design in dict.fromkeys(row.design for row in named):
        lines += [f"## {design}", ""]
        for kind in _KINDS:
            rows = [row for row in named if (row.design, row.kind) == (design, kind)]
            if rows:
                there = sum((kind, row.name) in place for row in rows)
                lines += [f"{there} of {len(rows)} {kind}s.", "", f"| {kind.capitalize()} | Where |", "|---|---|"]
                lines += [f"| `{row.name}` | {place.get((kind, row.name), 'not yet')} |" for row in rows]
                lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _shown(paths: Sequence[str]) -> str:
    """Pages of the documentation as links from this one."""
    pages = [path.removeprefix("docs/") if path.startswith("docs/") else None for path in paths]
    return ", ".join(
        f"`{path}`" if page is None else f"[{page}](../{page})" for path, page in zip(paths, pages, strict=True)
    )


def _endpoints(openapi: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (
            "endpoint",
            f"{method.upper()} {_PARAMETER.sub('{}', _VERSION.sub('', path))}",
        ): f"`{operation['operationId']}`"
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
        if "operationId" in operation
    }


def _events(services: Sequence[Service]) -> dict[tuple[str, str], str]:
    return {("event", event.type): f"`{event.topic}`" for service in services for event in service.publishes}
