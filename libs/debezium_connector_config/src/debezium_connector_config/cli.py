"""Render an outbox connector, check a connector's file, send it to Kafka Connect, show how connectors fare.

Exit status: 0 all well, 1 a fault that is printed, 2 wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from debezium_connector_config import live
from debezium_connector_config.connector import PostgresConnector
from debezium_connector_config.outbox import CLOUDEVENTS_CONSTANTS, CLOUDEVENTS_HEADERS, outbox_connector
from debezium_connector_config.reference import Reference


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(str(part) for part in problem["loc"]) or "connector"
            print(f"{place}: {problem['msg']}", file=sys.stderr)
    except (ValueError, OSError, live.ConnectError) as error:
        print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m debezium_connector_config", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_render(commands.add_parser("render", help="print an outbox connector as JSON"))
    for name, run, text in (
        ("validate", _validate, "check a connector's file, against Connect too with --connect"),
        ("apply", _apply, "create the connector of a file, or replace its configuration"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("file", help='JSON, {"name": …, "config": {…}}; - reads standard input')
        command.add_argument("--connect", metavar="URL", required=name == "apply")
        command.set_defaults(run=run)
    command = commands.add_parser("status", help="show connectors and tasks; fails unless all are running")
    command.add_argument("names", nargs="*", metavar="NAME", help="all connectors when none is named")
    command.add_argument("--connect", metavar="URL", required=True)
    command.set_defaults(run=_status)
    return parser


def _add_render(command: argparse.ArgumentParser) -> None:
    for option in ("name", "hostname", "database", "user"):
        command.add_argument(f"--{option}", required=True)
    command.add_argument("--port", type=int, default=5432)
    command.add_argument("--password-env", required=True, help="environment variable of the worker")
    command.add_argument("--slot")
    command.add_argument("--publication")
    command.add_argument("--table", default="public.outbox")
    command.add_argument("--poll-interval-ms", type=int, default=25)
    command.add_argument("--header", type=_pair, action="append", metavar="COLUMN=HEADER", default=[])
    command.add_argument("--constant", type=_pair, action="append", metavar="HEADER=TEXT", default=[])
    command.set_defaults(run=_render)


def _pair(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected LEFT=RIGHT, not {text!r}")
    return left, right


def _render(options: argparse.Namespace) -> int:
    connector = outbox_connector(
        name=options.name,
        hostname=options.hostname,
        port=options.port,
        database=options.database,
        user=options.user,
        password=Reference.env(options.password_env),
        slot=options.slot,
        publication=options.publication,
        table=options.table,
        headers=CLOUDEVENTS_HEADERS,
        extensions=tuple(options.header),
        constants=CLOUDEVENTS_CONSTANTS | dict(options.constant),
        poll_interval_ms=options.poll_interval_ms,
    )
    sys.stdout.write(connector.to_json(options.name))
    return 0


def _load(file: str) -> tuple[str, PostgresConnector]:
    document = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict) or "name" not in document:
        raise ValueError(f'{file}: expected {{"name": …, "config": {{…}}}}')
    return str(document["name"]), PostgresConnector.from_config(document["config"])


def _validate(options: argparse.Namespace) -> int:
    name, connector = _load(options.file)
    errors = live.validate_live(options.connect, connector) if options.connect else []
    for error in errors:
        print(error)
    if not errors:
        print(f"{name}: valid" if options.connect else f"{name}: valid, not checked against Connect")
    return int(bool(errors))


def _apply(options: argparse.Namespace) -> int:
    name, connector = _load(options.file)
    created = live.apply(options.connect, name, connector)
    print(f"{name}: {'created' if created else 'updated'}")
    return 0


def _status(options: argparse.Namespace) -> int:
    found = [live.status(options.connect, name) for name in options.names or live.names(options.connect)]
    for one in found:
        print(f"{one.name}: {one.state} on {one.worker}")
        _print_trace(one.trace)
        for task in one.tasks:
            print(f"  task {task.id}: {task.state} on {task.worker}")
            _print_trace(task.trace)
    return int(not all(one.running for one in found))


def _print_trace(trace: str | None) -> None:
    for line in (trace or "").splitlines()[:1]:
        print(f"    {line}")
