"""No port moves when a service is added: each service keeps, in one data folder, the place that it first got."""

from pathlib import Path

import pytest

from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import counted_ports, edge_names, service_names


def _next(layout: Layout, *services: str) -> dict[str, int]:
    ports = Ports.counted(8100, 8000, services, ["front"], layout.known_places())
    layout.keep_places(ports.places)
    return ports.services


def test_a_service_that_is_added_moves_no_other(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert _next(layout, "front", "b", "d") == {"b": 8110, "d": 8111, "front": 8000}
    assert _next(layout, "a", "b", "c", "d", "front") == {"a": 8112, "b": 8110, "c": 8113, "d": 8111, "front": 8000}


def test_one_that_comes_back_finds_its_place_free(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    before = _next(layout, "b", "d")
    assert _next(layout, "d", "e") == {"d": before["d"], "e": 8112}
    assert _next(layout, "b", "d", "e") == {**before, "e": 8112}


def test_without_a_memory_places_go_by_name() -> None:
    one, other = (Ports.counted(8100, 8000, names) for names in (["a", "b", "c"], ["c", "b", "a"]))
    assert one.services == other.services == {"a": 8110, "b": 8111, "c": 8112}


def test_free_ports_leave_room_for_every_place_that_is_known() -> None:
    ports = Ports.free(["a", "z"], known={"z": 40})
    assert ports.services["z"] == ports.base + 10 + 40
    assert ports.services["a"] == ports.base + 10


def test_a_second_installation_has_ports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = counted_ports(Layout(tmp_path / "first"))
    monkeypatch.setenv("TAILRACE_PORT_BASE", "8300")
    monkeypatch.setenv("TAILRACE_GATEWAY_PORT", "8200")
    second = counted_ports(Layout(tmp_path / "second"))
    assert (second.postgres, second.kafka, second.connect) == (8300, 8301, 8303)
    assert {second.services[name] for name in edge_names()} == {8200}
    assert set(second.services) == set(service_names())
    assert not set(first.services.values()) & set(second.services.values())
