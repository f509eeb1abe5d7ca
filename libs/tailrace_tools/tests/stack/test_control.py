"""The supervisor as `tailrace up` and `tailrace down` see it: idempotent, orderly, and nothing left behind."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tailrace.cli import app
from tailrace.core.operator_error import OperatorError
from tailrace.stack import control
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.processes import Process
from tailrace.stack.state import State


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A data folder and ports of its own for everything that reads the environment."""
    monkeypatch.setenv("TAILRACE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TAILRACE_PORT_BASE", str(Ports.free().base))
    for name in ("TAILRACE_POSTGRES", "TAILRACE_KAFKA", "TAILRACE_CONNECT"):
        monkeypatch.delenv(name, raising=False)
    layout = Layout.from_environment()
    yield layout
    control.stop(layout, ignore)
    Stack(layout.data, only="postgres").discard()


def ignore(_: State) -> None:
    """Nobody looks."""


def server(state: State) -> Process:
    process = state.parts["postgres"].process
    assert process is not None
    return process


def test_second_up_changes_nothing_and_down_leaves_nothing(layout: Layout) -> None:
    first = control.start(layout, "postgres", ignore)
    assert not first.already
    second = control.start(layout, "postgres", ignore)
    assert second.already
    assert second.state == first.state
    assert control.stop(layout, ignore)
    assert first.state.supervisor is not None
    assert not first.state.supervisor.alive
    assert not server(first.state).alive
    assert not control.stop(layout, ignore)


def test_killed_supervisor_takes_its_children_along(layout: Layout) -> None:
    first = control.start(layout, "postgres", ignore).state
    assert first.supervisor is not None
    first.supervisor.end(signal.SIGKILL)
    assert server(first).wait(10)
    again = control.start(layout, "postgres", ignore)
    assert not again.already
    assert server(again.state).alive


def test_larger_stack_is_not_silently_refused(layout: Layout) -> None:
    control.start(layout, "postgres", ignore)
    with pytest.raises(OperatorError, match="smaller stack"):
        control.start(layout, "fleet", ignore)


def test_status_is_honest(layout: Layout) -> None:
    run = CliRunner().invoke
    assert run(app, ["status"]).exit_code == 1
    state = control.start(layout, "postgres", ignore).state
    answer = run(app, ["status", "--json"])
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    assert told["ready"]
    assert told["parts"]["postgres"]["process"]["pid"] == server(state).pid
    assert run(app, ["up", "--only", "postgres"]).exit_code == 0
    assert run(app, ["down"]).exit_code == 0
    assert run(app, ["status"]).exit_code == 1


def test_data_without_its_secrets_says_so(layout: Layout) -> None:
    control.start(layout, "postgres", ignore)
    control.stop(layout, ignore)
    layout.credentials.unlink()
    with pytest.raises(OperatorError, match=r"secrets\.json"):
        control.start(layout, "postgres", ignore)
