"""What a failed test leaves behind for whoever reads the log of the run."""

import pytest

from tailrace.stack.embedded import Stack
from tailrace.stack.plan import service_names
from tailrace_testing.scene import scene

pytestmark = pytest.mark.operates


def test_the_scene_tells_of_every_service_connector_and_slot(fleet: Stack) -> None:
    told = scene(fleet).splitlines()
    for name in service_names():
        assert any(line.startswith(f"service {name}: ") and "ready" in line for line in told), name
    for name in fleet.supervisor.board.state.connectors:
        assert any(line.startswith(f"connector {name}: RUNNING") for line in told), name
        assert any(line.startswith("slot: ") and f"{name}_outbox" in line for line in told), name
    assert not [line for line in told if "does not answer" in line]
