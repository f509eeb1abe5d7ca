"""What is generated from the manifests is what is committed, and breaks nobody who relies on it."""

from pathlib import Path

from findings import say_all

from tailrace.cli import app as commands
from tailrace.codegen.compatibility import breaking
from tailrace.codegen.describe import describe, drift
from tailrace.service import Service

ROOT = Path(__file__).parents[2]


def test_nothing_generated_has_drifted(services: list[Service]) -> None:
    files = describe(services, ROOT, commands)
    say_all(
        [
            *map(str, breaking(files, ROOT, services)),
            *(f"{each}: run `tailrace describe` and commit what it writes" for each in drift(files, ROOT)),
        ]
    )
