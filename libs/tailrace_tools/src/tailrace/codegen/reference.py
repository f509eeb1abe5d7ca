"""The reference as Markdown pages, read off the code: events with their fields, operations, problems, settings, commands, metrics.

What these pages say of a thing is its own docstring or help text, so that there is one place to correct.
"""

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer import Typer

from tailrace.core.events import Event
from tailrace.core.personal_data import is_personal
from tailrace.messaging.subscribers import Journal
from tailrace.observability.metrics import INSTRUMENTS
from tailrace.runtime.openapi_merge import PROBLEMS
from tailrace.service import Service
from tailrace.settings import Settings

_FOLDER = Path("docs/reference")
_GENERATED = "Generated from the code: `tailrace describe`."
_METHODS = ("get", "post", "put", "patch", "delete")
_FORMATS = {"uuid": "UUID", "date-time": "time", "date": "date", "decimal": "decimal"}


def kit_pages(commands: Typer) -> dict[Path, str]:
    """The pages that no service changes, which are committed, by their path below the checkout. `commands` is the command line."""
    return {
        _FOLDER / "settings.md": settings_page(),
        _FOLDER / "commands.md": commands_page(commands),
        _FOLDER / "metrics.md": metrics_page(),
    }


def fleet_pages(services: Sequence[Service], openapi: Mapping[str, Any]) -> dict[Path, str]:
    """The pages about all services together, which are built, by their path below the checkout. `openapi` is the merged document."""
    return {
        _FOLDER / "events.md": events_page(services),
        _FOLDER / "event-map.md": event_map(services),
        _FOLDER / "http.md": http_page(openapi),
        _FOLDER / "problems.md": problems_page(openapi[PROBLEMS]),
    }


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
            *_kept(services, service.topic),
            "| Event | Version | What it says | Who listens |",
            "|---|---|---|---|",
        ]
        for event in service.publishes:
            who = ", ".join(sorted(listeners.get(event.type, []))) or "—"
            lines.append(f"| `{event.type}` | {event.version} | {_summary(event)} | {who} |")
        lines.append("")
    return "\n".join(lines)


def _kept(services: Sequence[Service], topic: str) -> list[str]:
    """Who keeps all of a topic, whatever is on it."""
    journals = [each for service in services for each in service.subscribers if isinstance(each, Journal)]
    names = ", ".join(sorted(f"`{each.name}`" for each in journals if topic in each.topics))
    return [f"All of it is kept by {names}.", ""] if names else []


def _summary(event: type[Event]) -> str:
    own = event.__dict__.get("__doc__")
    return own.strip().splitlines()[0] if own else ""


def events_page(services: Sequence[Service]) -> str:
    """Every event by topic: type, version, what it says, and each field with its type and unit."""
    lines = [
        *_head("Events"),
        "The payload of every event, by topic. [Read the events from Kafka](../how-to/partner.md) describes the envelope around it, the "
        "[event map](event-map.md) says who listens. Each links to its JSON Schema; [asyncapi.yaml](../../dist/contracts/asyncapi.yaml) has "
        "all of them in one AsyncAPI document.",
        "",
        "Amounts are whole minor units, quantities, prices and rates are decimals as strings, times are UTC. A reader of a field marked *personal* "
        "handles personal data.",
        "",
    ]
    for service in services:
        if service.topic is None:
            continue
        lines += [f"## `{service.topic}`", ""]
        parts: dict[str, type[BaseModel]] = {}
        for event in service.publishes:
            schema = f"../../contracts/schemas/{event.type}.v{event.version}.json"
            lines += [f"### `{event.type}`", "", *_said(event)]
            lines += [
                f"Version {event.version}, [schema]({schema}), `{event.__module__}.{event.__name__}` in Python.",
                "",
            ]
            lines += _fields(event, event.model_json_schema(mode="serialization"))
            parts |= {part.__name__: part for part in _parts(event)}
        for name, part in sorted(parts.items()):
            lines += [f"### `{name}`, a part of events of `{service.topic}`", "", *_said(part)]
            lines += _fields(part, part.model_json_schema(mode="serialization"))
    return _page(lines)


def http_page(openapi: Mapping[str, Any]) -> str:
    """Every operation of the gateway, by tag."""
    lines = [
        *_head("HTTP API"),
        "Every operation. Bodies and answers, field by field, are at `/docs` of a running fleet, and in the "
        "[OpenAPI 3.1 document](../../dist/contracts/openapi.json) behind it. What holds for all of them: "
        "[Build a client on the HTTP API](../how-to/frontend-developer.md).",
        "",
    ]
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, item in openapi["paths"].items():
        for method in _METHODS:
            if method in item:
                by_tag.setdefault(item[method]["tags"][0], []).append((method.upper(), path, item[method]))
    for tag, operations in sorted(by_tag.items()):
        lines += [f"## {tag}", "", "| Operation | What it does |", "|---|---|"]
        for method, path, operation in operations:
            open_to_all = "" if operation.get("security") else " *Needs no token.*"
            said = operation.get("description") or f"{operation['summary']}."
            lines.append(f"| `{method} {path}` | {_cell(said)}{open_to_all} |")
        lines.append("")
    return _page(lines)


def problems_page(problems: Sequence[Mapping[str, Any]]) -> str:
    """Every type of problem that an error answer can carry."""
    lines = [
        *_head("Problems"),
        "Every error is `application/problem+json` (RFC 9457). Decide by `type`; `errors` names the fields. What to do about them: "
        "[Build a client on the HTTP API](../how-to/frontend-developer.md#retries).",
        "",
        "| Status | Type `urn:tailrace:problem:…` | Title | Meaning |",
        "|---|---|---|---|",
    ]
    for problem in problems:
        slug = problem["type"].rpartition(":")[2]
        lines.append(f"| {problem['status']} | `{slug}` | {problem['title']} | {_cell(problem['description'])} |")
    return _page(lines)


def settings_page() -> str:
    """Every setting of a process, and the variables that only the command reads."""
    lines = [
        *_head("Settings"),
        "Every process reads its settings from the environment when it starts. On one machine `tailrace up` passes on what it was given and sets "
        "addresses and ports itself. Lists and maps are JSON. Times are in seconds unless the name says otherwise.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        if not field.description:
            raise ValueError(f"the setting {name} has no text below it that says what it is for")
        lines.append(f"| `TAILRACE_{name.upper()}` | {_default(field.default)} | {_cell(field.description)} |")
    lines += [
        "",
        "The command `tailrace` and the images read these too:",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {default} | {meaning} |" for name, (default, meaning) in _COMMAND_READS.items()),
    ]
    return _page(lines)


_COMMAND_READS = {
    "TAILRACE_BACKUPS": (
        "where the last backup went, else beside the data folder",
        "The folder of backups of the embedded stack.",
    ),
    "TAILRACE_CACHE": ("`~/.cache/tailrace`", "Where downloads are kept, for every data folder of a user."),
    "TAILRACE_MAVEN_MIRROR": ("Maven Central", "The repository to download PostgreSQL, Kafka and Debezium from."),
    "TAILRACE_JAVA_OPTIONS": ("", "Further options of the Java runtime, for Kafka and Connect."),
    "TAILRACE_MIGRATIONS": (
        "beside the package",
        "The folder of a service's migrations, where it is installed apart from them.",
    ),
    "TAILRACE_POSTGRES_HOST": ("", "Set for a Connect worker: where its connectors find PostgreSQL."),
    "TAILRACE_POSTGRES_PORT": ("", "Set for a Connect worker: the port."),
    "TAILRACE_POSTGRES_CONNECTIONS": (
        "400",
        "Compose alone: the connections that PostgreSQL takes; `make compose` sets it.",
    ),
    "TAILRACE_POSTGRES_SLOTS": ("96", "Compose alone: its replication slots, likewise."),
    "TAILRACE_PLATFORM": (
        "",
        "The command line: a file of variables, `NAME=value` a line, of a platform elsewhere that a command is about.",
    ),
    "TAILRACE_GATEWAY": (
        "",
        "The command line: where a platform elsewhere answers, as in `https://tailrace.example.com`.",
    ),
    "TAILRACE_PROMETHEUS_PORT": ("9090", "Compose alone: Prometheus' port on this machine."),
    "TAILRACE_GRAFANA_PORT": ("3000", "Compose alone: Grafana's port on this machine."),
    "TAILRACE_GRAFANA_PASSWORD": ("`tailrace-development`", "Compose alone: the password of Grafana's `admin`."),
    "TAILRACE_POSTGRES_PASSWORD": ("`tailrace`", "Compose alone: the password of PostgreSQL's superuser."),
    "TAILRACE_PASSWORD": ("", "`tailrace import`: the password of the one who imports."),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("", "The collector that spans and metrics go to; without it none are sent."),
}


def commands_page(app: Typer) -> str:
    """Every command of `tailrace` with its arguments and options."""
    from typer.main import get_command

    lines = [*_head("Commands"), "`.venv/bin/tailrace <command> --help` says the same.", ""]
    for name, command in _commands(get_command(app), "tailrace"):
        shown = [each for each in command.params if not each.hidden]
        usage = " ".join([name, *(_usage(each) for each in shown)])
        lines += [f"## {name.removeprefix('tailrace ')}", "", command.help, "", "```text", usage, "```", ""]
        told = [each for each in shown if each.help]
        if told:
            lines += ["| Argument or option | Meaning |", "|---|---|"]
            lines += [f"| {', '.join(f'`{each}`' for each in _names(param))} | {_meaning(param)} |" for param in told]
            lines.append("")
    return _page(lines)


def metrics_page() -> str:
    """Every metric, under the name that Prometheus sees."""
    lines = [
        *_head("Metrics"),
        "Each process shows them at `/metrics` on its own port. [Watch a running fleet](../how-to/observe.md) says which deserve an alarm.",
        "",
        "| Prometheus | OpenTelemetry | Kind | Meaning |",
        "|---|---|---|---|",
    ]
    for each in INSTRUMENTS.values():
        lines.append(f"| `{each.prometheus}` | `{each.name}` | {each.kind} | {_cell(each.meaning)} |")
    return _page(lines)


def _head(title: str) -> list[str]:
    return [f"# {title}", "", _GENERATED, ""]


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    """One line that a table can hold: as a sentence, and a bar in it is no border."""
    line = " ".join(text.split()).replace("|", "\\|")
    return line[:1].upper() + line[1:]


def _said(model: type[BaseModel]) -> list[str]:
    own = model.__dict__.get("__doc__")
    return [inspect.cleandoc(own), ""] if own else []


def _parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models inside a model, at any depth."""
    for field in model.model_fields.values():
        for part in _models(field.annotation):
            yield part
            yield from _parts(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _fields(model: type[BaseModel], schema: Mapping[str, Any]) -> list[str]:
    if not model.model_fields:
        return ["It says nothing more.", ""]
    rows = [
        (name, _type(schema["properties"][name]), _note(schema["properties"][name], field))
        for name, field in model.model_fields.items()
    ]
    if any(note for _, _, note in rows):
        return [
            "| Field | Type | Meaning |",
            "|---|---|---|",
            *(f"| `{name}` | {kind} | {note} |" for name, kind, note in rows),
            "",
        ]
    return ["| Field | Type |", "|---|---|", *(f"| `{name}` | {kind} |" for name, kind, _ in rows), ""]


def _note(shape: Mapping[str, Any], field: FieldInfo) -> str:
    notes = [shape.get("description", ""), "*Personal.*" if is_personal(field) else ""]
    if not field.is_required():
        notes.append(f"Optional, {_default(field.default)} when it is missing.")
    return " ".join(note for note in notes if note)


def _type(shape: Mapping[str, Any]) -> str:
    if "$ref" in shape:
        return f"`{shape['$ref'].rpartition('/')[2]}`"
    if "anyOf" in shape:
        return " or ".join(_type(each) for each in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    if shape.get("type") == "array":
        return f"list of {_type(shape['items'])}"
    return _FORMATS.get(shape.get("format", ""), str(shape.get("type", "any")))


def _default(value: object) -> str:
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"`{json.dumps([str(each) for each in value])}`"
    return f"`{value}`"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for word, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {word}")
    if not hasattr(command, "commands") or command.invoke_without_command:
        yield name, command


def _names(param: Any) -> list[str]:
    return [f"<{param.name}>"] if param.param_type_name == "argument" else [*param.opts, *param.secondary_opts]


def _usage(param: Any) -> str:
    shown = _names(param)[0]
    if param.param_type_name != "argument" and not param.is_flag:
        shown = f"{shown} …"
    return shown if param.required else f"[{shown}]"


def _meaning(param: Any) -> str:
    if param.required or param.default is None or getattr(param, "is_flag", False):
        return _cell(param.help)
    return f"{_cell(param.help)} Default: `{param.default}`."
