"""The measurements that stand by themselves (`python -m reports`, `wide`, `ingest`), each in a process of its own, for the report."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[1]


def measure(name: str, size: int, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Its figures, or what went wrong. What it prints is said as it comes."""
    told = folder / f"{name}.json"
    paths = os.pathsep.join([str(BENCH), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", name, str(size), "--json", str(told)]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line.rstrip()
            say(last)
    if process.returncode or not told.exists():
        return {"n": size, "error": f"ended with {process.returncode}: {last}"[:500]}
    found: dict[str, Any] = json.loads(told.read_text())
    return found
