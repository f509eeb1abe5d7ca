"""The fleet of a scratch workspace on data and ports of its own, started and stopped by the command line as a user would."""

import os
import time
from pathlib import Path

from measure.usage import Processes
from measure.workspace import Workspace
from tailrace.settings import Settings, settings_from
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import Plan, edge_names

_LIMITS = {
    "TAILRACE_TENANT_RATE": "50000",
    "TAILRACE_TENANT_BURST": "100000",
    "TAILRACE_ADDRESS_RATE": "5000",
    "TAILRACE_ADDRESS_BURST": "10000",
    # Where this is set, every start compiles every module anew, and that would be most of what is measured.
    "PYTHONDONTWRITEBYTECODE": "",
}


class Installation:
    """`up` and `down` return how long they took, in seconds. A command that fails raises AssertionError with what it said."""

    def __init__(self, workspace: Workspace, data: Path) -> None:
        self.workspace = workspace
        ports = Ports.free(workspace.services, edge_names())
        self._plan = Plan(Layout(data), ports)
        self._environment = {
            **_LIMITS,
            "TAILRACE_DATA": str(data),
            "TAILRACE_PORT_BASE": str(ports.base),
            "TAILRACE_GATEWAY_PORT": str(ports.gateway),
        }
        self.processes = Processes(data)

    @property
    def gateway(self) -> str:
        return self._plan.gateway_url

    @property
    def connect(self) -> str:
        return self._plan.connect_url(self._credentials)

    @property
    def operator(self) -> str:
        """The password of the platform's operator."""
        return self._credentials.operator

    @property
    def postgres(self) -> str:
        """The superuser's address."""
        return self._plan.postgres_url(self._credentials)

    @property
    def environment(self) -> dict[str, str]:
        """With which a process of this fleet finds everything, sized as the fleet is."""
        return {**self._plan.environment(self._credentials), **self._environment}

    @property
    def settings(self) -> Settings:
        return settings_from({**os.environ, **self.environment})

    @property
    def _credentials(self) -> Credentials:
        return Credentials.load_or_create(self._plan.layout.credentials)

    def up(self) -> float:
        return self._timed("up")

    def down(self) -> float:
        return self._timed("down")

    def _timed(self, command: str) -> float:
        began = time.monotonic()
        self.workspace.sandbox.python("-m", "tailrace.cli", command, **self._environment)
        return round(time.monotonic() - began, 1)
