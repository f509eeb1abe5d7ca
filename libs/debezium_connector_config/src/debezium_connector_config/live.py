"""Calls to a running Kafka Connect, with the standard library alone: validate, apply, status. Its address may be `http://user:password@…`."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from debezium_connector_config.connector import PostgresConnector

TIMEOUT_S = 90.0
"""Above Debezium's own limit for its validating connection, which is 60 s."""


class ConnectError(RuntimeError):
    """Connect was not reached, or refused the request. `.status` is the HTTP status, None when not reached."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class FieldError:
    """What Connect holds against one setting."""

    field: str
    messages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.field}: {'; '.join(self.messages)}"


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """One task: its id, its state (RUNNING, FAILED, …), its worker, and the stack trace of a failure."""

    id: int
    state: str
    worker: str
    trace: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """A connector and its tasks."""

    name: str
    state: str
    worker: str
    trace: str | None
    tasks: tuple[TaskStatus, ...]

    @property
    def running(self) -> bool:
        """Whether the connector and at least one task run, and no task does anything else."""
        return self.state == "RUNNING" and bool(self.tasks) and all(task.state == "RUNNING" for task in self.tasks)


Config = PostgresConnector | Mapping[str, str]


def validate_live(connect_url: str, config: Config, *, timeout_s: float = TIMEOUT_S) -> list[FieldError]:
    """Let Connect check the configuration; one FieldError per faulty setting, sorted, empty when all is well.

    With no other error, Debezium also connects to the database from the worker and reports a failure at
    `database.hostname`. Raises ConnectError.
    """
    flat = _flat(config)
    body = {"name": flat.get("name") or flat.get("topic.prefix", "unnamed"), **flat}
    path = f"/connector-plugins/{quote(flat.get('connector.class', ''), safe='')}/config/validate"
    answer = _call("PUT", connect_url, path, body, timeout_s)
    values = (entry["value"] for entry in answer["configs"])
    found = (FieldError(value["name"], tuple(value["errors"])) for value in values if value["errors"])
    return sorted(found, key=lambda error: error.field)


def apply(connect_url: str, name: str, config: Config, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Create the connector or replace its configuration; True when it was created. Raises ConnectError.

    Connect does this after validating the configuration; the tasks start (or restart) a moment later.
    """
    existed = name in _call("GET", connect_url, "/connectors", None, timeout_s)
    _call("PUT", connect_url, f"/connectors/{quote(name, safe='')}/config", _flat(config), timeout_s)
    return not existed


def status(connect_url: str, name: str, *, timeout_s: float = TIMEOUT_S) -> Status:
    """The connector's state and its tasks'. Raises ConnectError, with status 404 for an unknown connector."""
    answer = _call("GET", connect_url, f"/connectors/{quote(name, safe='')}/status", None, timeout_s)
    own = answer["connector"]
    tasks = tuple(
        TaskStatus(task["id"], task["state"], task["worker_id"], task.get("trace")) for task in answer["tasks"]
    )
    return Status(answer["name"], own["state"], own["worker_id"], own.get("trace"), tasks)


def names(connect_url: str, *, timeout_s: float = TIMEOUT_S) -> list[str]:
    """The connectors that Connect knows, sorted. Raises ConnectError."""
    return sorted(_call("GET", connect_url, "/connectors", None, timeout_s))


def _flat(config: Config) -> dict[str, str]:
    return config.render() if isinstance(config, PostgresConnector) else dict(config)


def _call(method: str, base: str, path: str, body: object, timeout_s: float) -> Any:
    if not base.startswith(("http://", "https://")):
        raise ConnectError(f"not an http address: {base}")
    base, login = _parted(base)
    data = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/json", **login}
    request = Request(base.rstrip("/") + path, data=data, method=method, headers=headers)
    try:
        with urlopen(request, timeout=timeout_s) as response:
            return json.load(response)
    except HTTPError as error:
        with error:
            raise ConnectError(f"{method} {path}: {error.code} {_message(error.read())}", error.code) from None
    except (URLError, TimeoutError, ConnectionError) as error:
        raise ConnectError(f"{method} {path}: Connect at {base} did not answer: {error}") from error


def _parted(base: str) -> tuple[str, dict[str, str]]:
    """An address without `user:password@`, and the header that says them."""
    parts = urlsplit(base)
    if parts.username is None:
        return base, {}
    said = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, {"Authorization": f"Basic {b64encode(said).decode()}"}


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]
