"""A scratch copy holds the fleet that was asked for, and the checkout knows nothing of it."""

from pathlib import Path

from measure.workspace import Workspace
from sandbox import ROOT

from tailrace.runtime.fleet import load_services

_LOOK = "import gateway, tailrace.runtime.fleet as fleet; print(gateway.__file__, *(each.name for each in fleet.load_services()))"

_ROUTES = "from gateway.table import load_table; print(*(route.prefix for route in load_table().routes))"


def test_generated_services_are_installed_and_described(tmp_path: Path) -> None:
    own = [service.name for service in load_services()]
    workspace = Workspace(tmp_path, 2)
    gateway, *found = workspace.sandbox.python("-c", _LOOK).split()
    assert found == workspace.services == sorted([*own, "ware01s", "ware02s"])
    assert Path(gateway).is_relative_to(workspace.sandbox.root)
    told = workspace.sandbox.python("-c", _ROUTES)
    assert "/v1/ware02s" in told.split()
    for name in ("ware01s", "ware02s"):
        assert list((workspace.sandbox.root / "services" / name / "migrations").glob("0001_*.py")), name
    assert not (ROOT / "services/ware01s").exists()
