"""What is generated from the manifests is what is committed, and breaks nobody who relies on it."""

from pathlib import Path

from tailrace.cli import app as commands
from tailrace.codegen.compatibility import breaking
from tailrace.codegen.describe import describe, drift
from tailrace.service import Service

ROOT = Path(__file__).parents[2]


def test_nothing_generated_has_drifted(services: list[Service]) -> None:
    files = describe(services, ROOT, commands)
    assert breaking(files, ROOT, services) == []
    assert drift(files, ROOT) == [], "run `tailrace describe` and commit what it writes"
