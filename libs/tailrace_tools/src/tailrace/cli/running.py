"""The stack that runs in the data folder, seen from another command: its ports, its secrets, its variables."""

import os

from tailrace.core.operator_error import OperatorError
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import External, Plan, edge_names, service_names
from tailrace.stack.state import State


def enter_environment() -> Plan:
    """Give this process the variables of a service of the running stack, and return the plan they come from.

    Raises `OperatorError` when nothing runs, or when an outside part was named at its start and is not named now.
    """
    layout = Layout.from_environment()
    state = State.load(layout.state)
    if state is None or not state.running:
        raise OperatorError(f"nothing is running in {layout.data}", "start it with: tailrace up")
    external = External.from_environment()
    for name, address in vars(external).items():
        if name not in state.parts and address is None and state.only == "fleet":
            variable = f"TAILRACE_{name.upper()}"
            raise OperatorError(f"this stack was started with {variable} set", f"set {variable} for this command too")
    ports = Ports.counted(state.port_base, state.gateway_port, service_names(), edge_names(), layout.known_places())
    plan = Plan(layout, ports, "fleet", external)
    os.environ.update(plan.environment(Credentials.load_or_create(layout.credentials)))
    return plan
