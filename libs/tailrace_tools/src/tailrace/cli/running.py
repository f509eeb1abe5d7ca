"""The platform that a command is about: the stack that runs in the data folder, or one elsewhere, which variables or a file name.

Elsewhere is a cluster, Compose, or another machine. Nothing is asked of Kubernetes: addresses and credentials are all that a command needs.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tailrace.core.addresses.kafka import OPERATOR
from tailrace.core.installed import EDGE, ISSUERS, installed
from tailrace.core.operator_error import OperatorError
from tailrace.settings import Settings
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import External, Plan, edge_names, service_names
from tailrace.stack.state import State

PLATFORM = "TAILRACE_PLATFORM"
"""Names a file of variables, a line each (`TAILRACE_KAFKA=kafka:9092`), of a platform elsewhere. What the environment says goes before it."""
GATEWAY = "TAILRACE_GATEWAY"
_ADDRESSES = ("TAILRACE_POSTGRES", "TAILRACE_KAFKA", "TAILRACE_CONNECT", "TAILRACE_SECRET")


class Running(Protocol):
    """Where a platform answers HTTP."""

    @property
    def gateway_url(self) -> str: ...
    @property
    def issuer(self) -> str | None: ...
    @property
    def issuer_url(self) -> str: ...


@dataclass(frozen=True)
class Elsewhere:
    """A platform that this machine did not start. The variables are in this process's environment."""

    @property
    def gateway_url(self) -> str:
        """Raises `OperatorError` when nothing says where it is."""
        edges = installed(EDGE)
        if address := os.environ.get(GATEWAY) or self.service_url(edges[0] if edges else ""):
            return address.rstrip("/")
        raise OperatorError(
            "nothing says where the platform answers", f"set {GATEWAY}, as in https://tailrace.example.com"
        )

    @property
    def issuer(self) -> str | None:
        return next(iter(installed(ISSUERS)), None)

    @property
    def issuer_url(self) -> str:
        return (self.service_url(self.issuer) if self.issuer else None) or self.gateway_url

    def service_url(self, service: str) -> str | None:
        """By TAILRACE_UPSTREAM and TAILRACE_UPSTREAMS; None when they do not tell."""
        try:
            return Settings().upstream_of(service)
        except KeyError:
            return None


def elsewhere() -> Elsewhere | None:
    """The platform elsewhere that variables or a file name, with its variables in the environment; None when a command is about this machine.

    A file is meant whatever runs here; variables alone are when nothing does. Raises `OperatorError` for a file that cannot be read, or lacks
    something.
    """
    named = os.environ.get(PLATFORM)
    if named:
        for name, value in _read(Path(named)).items():
            os.environ.setdefault(name, value)
    else:
        state = State.load(Layout.from_environment().state)
        if (state is not None and state.running) or not all(os.environ.get(name) for name in _ADDRESSES):
            return None
    if missing := [name for name in _ADDRESSES if not os.environ.get(name)]:
        raise OperatorError(f"{missing[0]} is not set", f"add it to {named}, or to the environment")
    # The operator's at Kafka, for those that take the address as it stands.
    os.environ["TAILRACE_KAFKA"] = Settings().as_kafka_user(OPERATOR).kafka
    return Elsewhere()


def enter_environment() -> Running:
    """Give this process the variables of a service of the platform that it is about, and return where that answers.

    Raises `OperatorError` when nothing runs, or when an outside part was named at its start and is not named now.
    """
    if (other := elsewhere()) is not None:
        return other
    layout = Layout.from_environment()
    state = State.load(layout.state)
    if state is None or not state.running:
        raise OperatorError(
            f"nothing is running in {layout.data}",
            f"start it with: tailrace up; of a platform elsewhere, {PLATFORM} names a file with its addresses",
        )
    external = External.from_environment()
    for name, address in vars(external).items():
        if name not in state.parts and address is None and state.only == "fleet":
            variable = f"TAILRACE_{name.upper()}"
            raise OperatorError(f"this stack was started with {variable} set", f"set {variable} for this command too")
    ports = Ports.counted(state.port_base, state.gateway_port, service_names(), edge_names(), layout.known_places())
    plan = Plan(layout, ports, "fleet", external)
    os.environ.update(plan.environment(Credentials.load_or_create(layout.credentials)))
    return plan


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be read: {error.strerror}", f"{PLATFORM} names a file of variables"
        ) from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        name, is_there, value = bare.partition("=")
        if not is_there or not name.strip().isidentifier():
            raise OperatorError(f"line {number} of {path} is no variable", "write NAME=value, or # before a remark")
        found[name.strip()] = value.strip().strip("\"'")
    return found
