"""What became of the contracts, for who reads events and not commits: `tailrace describe` adds a day's lines to `contracts/CHANGELOG.md`.

It compares what it is about to write with what lies there, so that a change is told once. Newest first.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from tailrace.codegen.places import CHANGELOG, SCHEMAS
from tailrace.codegen.schema_diff import changes

_HEAD = """# What became of the contracts

Each day on which an event, or a field of one, came or went. Written by `tailrace describe`. What may change, and for how long what is
old stays, is in [retention and deprecation](../docs/explanation/retention.md).
"""


def with_changes(files: Mapping[Path, str], root: Path, day: date) -> str | None:
    """The change log with what `files` change of the schemas below `root`; None when they change nothing that a reader would notice."""
    lines = [f"- {line}" for line in changed(files, root)]
    if not lines:
        return None
    path = root / CHANGELOG
    body = path.read_text().removeprefix(_HEAD).lstrip("\n") if path.is_file() else ""
    heading = f"## {day.isoformat()}\n\n"
    if body.startswith(heading):
        rest = body.removeprefix(heading)
        lines = [line for line in lines if f"{line}\n" not in rest.partition("\n## ")[0] + "\n"]
        return f"{_HEAD}\n{heading}" + "".join(f"{line}\n" for line in lines) + rest
    return f"{_HEAD}\n{heading}" + "\n".join(lines) + "\n" + (f"\n{body}" if body else "")


def changed(files: Mapping[Path, str], root: Path) -> Iterator[str]:
    """A line for each event that came or went, and for each field that did, by name."""
    there = {path.relative_to(root) for path in (root / SCHEMAS).glob("*.json")}
    for path in sorted(there | {path for path in files if path.parent == SCHEMAS}):
        type, _, version = path.stem.rpartition(".v")
        name = f"`{type}` v{version}"
        if path not in there:
            yield f"{name} is new, on `{json.loads(files[path])['x-topic']}`"
        elif path not in files:
            yield f"{name} is published no more"
        else:
            old, new = (root / path).read_text(), files[path]
            if old != new:
                yield from (f"{name}: {each}" for each in _differences(old, new))


def _differences(old: str, new: str) -> Iterator[str]:
    before, after = json.loads(old), json.loads(new)
    for change in changes(before, after):
        yield f"`{change.field}` {change.detail}" if change.field else change.detail
    marked, marks = _personal(before), _personal(after)
    yield from (f"`{field}` is marked as personal" for field in sorted(marks - marked))
    yield from (f"`{field}` is marked as personal no more" for field in sorted(marked - marks))


def _personal(node: object, name: str = "") -> set[str]:
    """The names of the fields with a mark."""
    if isinstance(node, list):
        return {found for each in node for found in _personal(each, name)}
    if not isinstance(node, dict):
        return set()
    own = {name} if node.get("x-personal") is True else set()
    below = {
        found
        for key, value in node.items()
        for found in (
            {found for field, schema in value.items() for found in _personal(schema, field)}
            if key == "properties"
            else _personal(value, name)
        )
    }
    return own | below
