"""What became of the contracts, for who reads events and not commits: `tailrace describe` adds a day's lines to the log of a topic, newest first.

A file for each topic, so that two branches that each add a service merge. It compares what it is about to write with what lies there, so that a
change is told once.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from tailrace.codegen.places import CHANGES, SCHEMAS
from tailrace.codegen.schema_diff import changes

_HEAD = """# What became of `{topic}`

Each day on which an event, or a field of one, came or went. Written by `tailrace describe`. What may change, and for how long what is
old stays, is in [retention and deprecation](../../docs/explanation/retention.md).
"""

_GONE = " is published no more"


def with_changes(files: Mapping[Path, str], root: Path, day: date) -> dict[Path, str | None]:
    """The logs to which `files` add, by what they change of the schemas below `root`; None for one of a topic that is gone, or that says nothing."""
    by_topic: dict[str, list[str]] = defaultdict(list)
    for topic, line in changed(files, root):
        by_topic[topic].append(f"- {line}")
    left = {json.loads(text)["x-topic"] for path, text in files.items() if path.parent == SCHEMAS}
    logs: dict[Path, str | None] = {
        CHANGES / path.name: None for path in (root / CHANGES).glob("*.md") if path.stem not in left
    }
    for topic in by_topic.keys() & left:
        path = CHANGES / f"{topic}.md"
        logs[path] = _with(root / path, topic, by_topic[topic], day)
    return logs


def _with(path: Path, topic: str, lines: Sequence[str], day: date) -> str | None:
    head, heading = _HEAD.format(topic=topic), f"## {day.isoformat()}\n\n"
    body = path.read_text().removeprefix(head).lstrip("\n") if path.is_file() else ""
    if body.startswith(heading):
        today, parted, before = body.removeprefix(heading).partition("\n## ")
        told = "".join(f"{line}\n" for line in _of_a_day(lines, today.splitlines()))
        if not told:
            return head + parted + before if parted else None
        return f"{head}\n{heading}{told}{parted}{before}"
    return f"{head}\n{heading}" + "\n".join(lines) + "\n" + (f"\n{body}" if body else "")


def _of_a_day(lines: Sequence[str], told: Sequence[str]) -> list[str]:
    """What a day's log says with these lines more. An event that is new that day is new as it ends; gone the same day, it was not there."""
    fresh = {line.removesuffix(" is new") for line in told if line.endswith(" is new")}
    gone = {line.removesuffix(_GONE) for line in lines if line.endswith(_GONE)} & fresh
    later = [line for line in lines if line not in told and line.partition(":")[0].removesuffix(_GONE) not in fresh]
    return later + [line for line in told if line.removesuffix(" is new") not in gone]


def changed(files: Mapping[Path, str], root: Path) -> Iterator[tuple[str, str]]:
    """A topic and a line for each event that came or went, and for each field that did, by name."""
    there = {path.relative_to(root) for path in (root / SCHEMAS).glob("*.json")}
    for path in sorted(there | {path for path in files if path.parent == SCHEMAS}):
        type, _, version = path.stem.rpartition(".v")
        name = f"`{type}` v{version}"
        old, new = (root / path).read_text() if path in there else None, files.get(path)
        topic = json.loads(new or old or "")["x-topic"]
        if old is None:
            yield topic, f"{name} is new"
        elif new is None:
            yield topic, f"{name}{_GONE}"
        elif old != new:
            yield from ((topic, f"{name}: {each}") for each in _differences(old, new))


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
