"""Everything that follows from the manifests: the promises, which are committed and checked for drift, and what is built of them.

`tailrace describe` writes both; `tailrace describe --check` names what would change of the promises. Each file of a promise belongs to one
service, so that two branches that add one each merge. Samples of a released service are append-only: one that was published stays, and so does
the schema of an older version, since topics keep what was published in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from typer import Typer

from tailrace.capture.connectors import deployed_connector
from tailrace.codegen.asyncapi import asyncapi, version_name
from tailrace.codegen.cache import DescribeCache
from tailrace.codegen.compose import compose
from tailrace.codegen.deviations import exceptions
from tailrace.codegen.helm import chart
from tailrace.codegen.import_contracts import import_contracts
from tailrace.codegen.manifests import manifest_of
from tailrace.codegen.openapi import openapi
from tailrace.codegen.places import (
    BUILT,
    CONNECTORS,
    CONTRACTS,
    IMPORT_CONTRACTS,
    MANIFESTS,
    OPENAPI,
    SAMPLES,
    SCHEMAS,
    SEEDS,
    SEEDS_PAGE,
    promised,
)
from tailrace.codegen.reference import fleet_pages, kit_pages
from tailrace.codegen.samples import sample
from tailrace.codegen.seeds import named_in, seeds_page
from tailrace.core.events import Event
from tailrace.core.manifest import routes_of, scopes_of
from tailrace.messaging.dead_letters import DeadLettered
from tailrace.runtime.openapi_merge import merge_openapi
from tailrace.service import Service
from tailrace.settings import Settings

Files = dict[Path, str]
Documents = Mapping[str, dict[str, Any]]


def documents_of(services: Sequence[Service], cache: DescribeCache | None = None) -> Documents:
    """The OpenAPI document of each service that has one of its own. They take most of the time, so what needs them shares them."""
    settings, documents = Settings(), {}
    for service in (service for service in services if service.build is None):
        document = cache.document(service.name) if cache is not None else None
        if document is None:
            document = openapi(service, settings)
            if cache is not None:
                cache.keep_document(service.name, document)
        documents[service.name] = document
    return documents


def describe(services: Sequence[Service], root: Path, commands: Typer, documents: Documents | None = None) -> Files:
    """Every promise by its path below `root`, the checkout. Deterministic. `commands` is the command line that the reference lists."""
    documents = documents_of(services) if documents is None else documents
    files: Files = {SCHEMAS / f"{version_name(DeadLettered)}.json": _json(_schema(DeadLettered))}
    for service in services:
        files |= _promises(service, root)
        if service.name in documents:
            files[OPENAPI / f"{service.name}.json"] = _json(documents[service.name])
        files |= {CONTRACTS / path: text(documents) for path, text in service.also_promises.items()}
    return files | kit_pages(commands)


def build(services: Sequence[Service], root: Path, documents: Documents | None = None) -> Files:
    """What is made of the promises of all together, by its path below `root`; nothing of it is committed.

    Raises ValueError when services contradict each other, one route, operation or scope of two, and when `contracts/seeds.tsv` is no such file.
    """
    manifests = [manifest_of(service) for service in services]
    for check in (routes_of, scopes_of):
        check(manifests)
    documents = documents_of(services) if documents is None else documents
    schemas = {name: schema for service in services for name, schema in _schemas(service, root).items()}
    schemas[version_name(DeadLettered)] = _schema(DeadLettered)
    merged = merge_openapi(documents, [screen for service in services for screen in service.screens])
    return {
        BUILT / "asyncapi.yaml": _json(asyncapi(services, schemas)),
        **{BUILT / "schemas" / f"{name}.json": _json(schema) for name, schema in sorted(schemas.items())},
        BUILT / "openapi.json": _json(merged),
        IMPORT_CONTRACTS: import_contracts(services),
        **fleet_pages(services, merged),
        **_named_by_designs(services, merged, root),
        **compose(services),
    }


def _named_by_designs(services: Sequence[Service], merged: Mapping[str, Any], root: Path) -> Files:
    if not (root / SEEDS).is_file():
        return {}
    return {SEEDS_PAGE: seeds_page(named_in((root / SEEDS).read_text()), services, merged)}


def _promises(service: Service, root: Path) -> Files:
    files: Files = {
        MANIFESTS / f"{service.name}.json": manifest_of(service).text(),
        Path(f"services/{service.name}/exceptions.json"): _json(exceptions(service)),
        **chart(service),
    }
    for name, schema in _schemas(service, root).items():
        files[SCHEMAS / f"{name}.json"] = _json(schema)
    for event in (*service.publishes, *service.awaits):
        files |= _samples(event, root, released=service.released)
    if service.topic is not None:
        connector = {"name": service.name, "config": deployed_connector(service, Settings()).render()}
        files[CONNECTORS / f"{service.name}.json"] = _json(connector)
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


def write_built(files: Files, root: Path) -> None:
    """Write what differs of what `build` made, and remove schemas that it makes no more."""
    for path, text in files.items():
        target = root / path
        if not target.is_file() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    for old in (root / BUILT / "schemas").glob("*.json"):
        if old.relative_to(root) not in files:
            old.unlink()


def drift(files: Files, root: Path) -> list[Path]:
    """The paths whose content on disk is not what the manifests say, and generated files that nothing stands for any more."""
    wrong = [path for path, text in files.items() if not (root / path).is_file() or (root / path).read_text() != text]
    return sorted([*wrong, *(path for path in promised(root) if path not in files)])


def _schemas(service: Service, root: Path) -> dict[str, dict[str, Any]]:
    """The schema of each of its events by `<type>.v<version>`: as it is now, and as it was in the older versions that were published; and of those
    that it awaits."""
    schemas = {}
    for event in (*service.publishes, *service.awaits):
        for version, text in _older(event, root):
            schemas[f"{event.type}.v{version}"] = json.loads(text)
        schemas[version_name(event)] = _schema(event)
    return schemas


def _older(event: type[Event], root: Path) -> Iterator[tuple[int, str]]:
    for version in range(1, event.version):
        path = root / SCHEMAS / f"{event.type}.v{version}.json"
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


def _samples(event: type[Event], root: Path, *, released: bool) -> Files:
    """The samples there are, and a new one when the schema now makes another; before the release that one alone."""
    folder = SAMPLES / event.type
    published = (root / folder).glob("v*-*.json") if released else ()
    kept = {path.relative_to(root): path.read_text() for path in published}
    fresh = _json(sample(event))
    if fresh not in kept.values():
        number = 1 + sum(path.name.startswith(f"v{event.version}-") for path in kept)
        kept[folder / f"v{event.version}-{number}.json"] = fresh
    return kept


_WIDTH = 120


def _json(value: Any) -> str:
    """What fits into a line stands in one, so that a change shows as what it is."""
    return _lines(value, 0, 0) + "\n"


def _lines(value: Any, indent: int, before: int) -> str:
    """`value` as JSON, at so many blanks, in a line that `before` characters stand in already."""
    line = json.dumps(value, ensure_ascii=False)
    if before + len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    blanks = " " * (indent + 2)
    if isinstance(value, list):
        inside = [blanks + _lines(each, indent + 2, indent + 3) for each in value]
    else:
        named = [(f"{blanks}{json.dumps(name, ensure_ascii=False)}: ", each) for name, each in value.items()]
        inside = [start + _lines(each, indent + 2, len(start) + 1) for start, each in named]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return ",\n".join([f"{opening}\n{inside[0]}", *inside[1:]]) + f"\n{' ' * indent}{closing}"
