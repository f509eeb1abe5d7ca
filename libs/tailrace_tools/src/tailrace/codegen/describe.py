"""Everything that follows from the manifests, written to files that are committed and checked for drift.

`tailrace describe` writes; `tailrace describe --check` names what would change. Samples are append-only: one that was published stays, and
so does the schema of an older version, since topics keep what was published in it. JSON is YAML, so asyncapi.yaml is written as JSON.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer import Typer

from tailrace.capture.connectors import deployed_connector
from tailrace.codegen.asyncapi import asyncapi, version_name
from tailrace.codegen.deviations import exceptions
from tailrace.codegen.helm import COMPOSE, HELM, charts, compose
from tailrace.codegen.import_contracts import import_boundaries
from tailrace.codegen.openapi_merge import merge_openapi, problem_types
from tailrace.codegen.reference import reference
from tailrace.codegen.samples import sample
from tailrace.core.events import Event
from tailrace.messaging.dead_letters import DeadLettered
from tailrace.runtime.app import build_app
from tailrace.runtime.route_table import routes
from tailrace.service import Service
from tailrace.settings import Settings

Files = dict[Path, str]
_SCHEMAS = Path("contracts/schemas")
_GATEWAY = Path("services/gateway/src/gateway/data")


def describe(services: Sequence[Service], root: Path, commands: Typer) -> Files:
    """Every generated file by its path below `root`, the checkout. Deterministic. `commands` is the command line that the reference lists."""
    settings = Settings()
    documents = {s.name: build_app(s, settings).openapi() for s in services if s.build is None}
    schemas = _schemas(services, root)
    files: Files = {_SCHEMAS / f"{name}.json": _json(schema) for name, schema in schemas.items()}
    files[Path("contracts/asyncapi.yaml")] = _json(asyncapi(services, schemas))
    for service in services:
        files[Path(f"services/{service.name}/exceptions.json")] = _json(exceptions(service))
        for event in service.publishes:
            files |= _samples(event, root)
        if service.topic is not None:
            connector = deployed_connector(service, settings)
            files[Path(f"deploy/kafka-connect/{service.name}.json")] = _json(
                {"name": service.name, "config": connector.render()}
            )
        if service.name in documents:
            files[Path(f"contracts/openapi/{service.name}.json")] = _json(documents[service.name])
    files[_GATEWAY / "routes.json"] = _json(routes(services))
    merged = merge_openapi(documents, problem_types=problem_types())
    files[_GATEWAY / "openapi.json"] = _json(merged)
    files |= reference(services, merged, merged["x-problem-types"], commands)
    files[Path("docs/reference/event-map.md")] = event_map(services)
    files[Path(".importlinter")] = import_boundaries(services)
    files |= charts(services)
    files[COMPOSE] = compose(services)
    return files


def write(files: Files, root: Path) -> list[Path]:
    """Write what differs, and remove what is generated no more; returns the paths that changed."""
    changed = drift(files, root)
    for path in changed:
        target = root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path])
        else:
            target.unlink()
    return changed


def drift(files: Files, root: Path) -> list[Path]:
    """The paths whose content on disk is not what the manifests say, and generated files that nothing stands for any more."""
    wrong = [path for path, text in files.items() if not (root / path).is_file() or (root / path).read_text() != text]
    return sorted([*wrong, *(path for path in _generated(root) if path not in files)])


def event_map(services: Sequence[Service]) -> str:
    """Who publishes what, and who listens, as a Markdown page."""
    listeners: dict[str, list[str]] = {}
    for service in services:
        for subscriber in service.subscribers:
            for event in subscriber.events:
                listeners.setdefault(event.type, []).append(f"`{subscriber.name}`")
    lines = ["# Event map", "", "Generated from the manifests: `tailrace describe`.", ""]
    for service in services:
        if service.topic is None:
            continue
        lines += [
            f"## {service.name}: `{service.topic}`",
            "",
            "| Event | Version | What it says | Who listens |",
            "|---|---|---|---|",
        ]
        for event in service.publishes:
            who = ", ".join(sorted(listeners.get(event.type, []))) or "—"
            lines.append(f"| `{event.type}` | {event.version} | {_summary(event)} | {who} |")
        lines.append("")
    return "\n".join(lines)


def _summary(event: type[Event]) -> str:
    own = event.__dict__.get("__doc__")
    return own.strip().splitlines()[0] if own else ""


def _schemas(services: Sequence[Service], root: Path) -> dict[str, dict[str, Any]]:
    """The schema of every event by `<type>.v<version>`: as it is now, and as it was in the older versions that were published."""
    schemas = {}
    events: list[type[Event]] = [*(event for service in services for event in service.publishes), DeadLettered]
    for event in events:
        for version, text in _older(event, root):
            schemas[f"{event.type}.v{version}"] = json.loads(text)
        schemas[version_name(event)] = _schema(event)
    return schemas


def _older(event: type[Event], root: Path) -> Iterator[tuple[int, str]]:
    for version in range(1, event.version):
        path = root / _SCHEMAS / f"{event.type}.v{version}.json"
        if path.is_file():
            yield version, path.read_text()


def _schema(event: type[Event]) -> dict[str, Any]:
    schema = event.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": event.schema_uri(),
        **schema,
        "title": event.type,
        "x-topic": getattr(event, "topic", "<service>.dlq"),
    }


def _samples(event: type[Event], root: Path) -> Files:
    """The samples there are, and a new one when the schema now makes another."""
    folder = Path(f"contracts/samples/{event.type}")
    kept = {path.relative_to(root): path.read_text() for path in (root / folder).glob(f"v{event.version}-*.json")}
    fresh = _json(sample(event))
    if fresh not in kept.values():
        kept[folder / f"v{event.version}-{len(kept) + 1}.json"] = fresh
    return kept


def _generated(root: Path) -> Iterator[Path]:
    for pattern in ("contracts/schemas/*.json", "contracts/openapi/*.json", "deploy/kafka-connect/*.json"):
        yield from (path.relative_to(root) for path in root.glob(pattern))
    for path in root.glob(f"{HELM}/*/**/*.yaml"):
        chart = path.relative_to(root / HELM).parts[0]
        # What `helm dependency update` fetches lies in charts/ and is not committed.
        if chart != "tailrace-lib" and path.relative_to(root / HELM).parts[1] != "charts":
            yield path.relative_to(root)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
