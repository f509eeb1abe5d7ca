"""The stack that runs in the data folder, seen from another command: its state, its secrets, its variables."""

import os

from tailrace.stack.credentials import Credentials
from tailrace.stack.errors import StackError
from tailrace.stack.layout import Layout
from tailrace.stack.plan import External, Plan, counted_ports, service_names
from tailrace.stack.state import State


def running_state(layout: Layout) -> State:
    """Raises `StackError` when nothing runs in this data folder."""
    state = State.load(layout.state)
    if state is None or not state.running:
        raise StackError(f"nothing is running in {layout.data}", "start it with: tailrace up")
    return state


def enter_environment() -> Plan:
    """Give this process the variables of a service of the running stack, and return the plan they come from."""
    layout = Layout.from_environment()
    external = External.from_environment()
    if not (external.postgres and external.kafka):
        running_state(layout)
    plan = Plan(layout, counted_ports(service_names()), "fleet", external)
    os.environ.update(plan.environment(Credentials.load_or_create(layout.credentials)))
    return plan
