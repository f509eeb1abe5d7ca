"""`tailrace demo`: the main job, run through the gateway alone by a program that shares no code with the fleet."""

import subprocess
import sys
from collections.abc import Sequence

from tailrace.cli.running import enter_environment


def run_demo(arguments: Sequence[str]) -> int:
    """Run `python -m tailrace_demo`, which finds the gateway by the environment, and return its exit code."""
    enter_environment()
    return subprocess.run([sys.executable, "-m", "tailrace_demo", *arguments], check=False).returncode
