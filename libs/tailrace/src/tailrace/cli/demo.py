"""`tailrace demo`: the main job, run through the gateway alone by a program that shares no code with the fleet."""

import os
import subprocess
import sys
from collections.abc import Sequence

from tailrace.cli.running import enter_environment
from tailrace.stack.layout import Layout
from tailrace.stack.state import State


def run_demo(arguments: Sequence[str]) -> int:
    """Run `python -m tailrace_demo` with the gateway's address, and return its exit code. Raises `StackError`."""
    plan = enter_environment()
    state = State.load(Layout.from_environment().state)
    gateway = state.addresses.get("Gateway", plan.gateway_url) if state else plan.gateway_url
    environment = {**os.environ, "TAILRACE_GATEWAY": gateway}
    return subprocess.run([sys.executable, "-m", "tailrace_demo", *arguments], env=environment, check=False).returncode
