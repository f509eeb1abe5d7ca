"""Where a test belongs: which parts of the stack it needs, whose service it looks at, and with which others it stays together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tailrace.service import Service
from tailrace.stack.plan import Only

LEVELS: tuple[Only, ...] = ("postgres", "kafka", "stack", "fleet")
_NEEDS: dict[str, Only] = {"kafka": "kafka", "connect_url": "stack", "fleet": "fleet", "gateway": "fleet"}
_LAST = ("tests/conformance", "", "tests/clients", "tests/fuzz", "tests/docs", "tests/e2e", "tests/faults")
_EARLY = _LAST.index("")
_CONFORMANCE, _TRADE = ("tests", "conformance"), ("tests", "e2e")


@dataclass(frozen=True, slots=True)
class Place:
    """Tests that one process runs, one after another. `level`: how far the stack is started for the process whose first place it is."""

    name: str
    level: Only = "postgres"


FLEET, OPERATED, KAFKA = Place("fleet", "fleet"), Place("operated fleet", "fleet"), Place("kafka", "stack")
FOR_TWO_FLEETS = 4
"""Processes, from which on there are two fleets. A fleet at rest takes half a core, and one that is used more than one: with fewer processes, which
means fewer cores, two would take the time from each other, and answers come so late that requests are made again."""


def level_of(item: pytest.Item) -> Only:
    """How far the stack must be started for this test."""
    needed = {_NEEDS[name] for name in getattr(item, "fixturenames", ()) if name in _NEEDS}
    return max(needed, key=LEVELS.index, default="postgres")


def service_of(item: pytest.Item) -> str | None:
    """The service whose folder, with what all of them share, is all that this test could see: its own tests, and its share of conformance."""
    parts = item.path.relative_to(item.config.rootpath).parts
    if parts[0] == "services" and len(parts) > 2:
        return parts[1]
    if (
        parts[: len(_CONFORMANCE)] != _CONFORMANCE
        or not isinstance(item, pytest.Function)
        or not hasattr(item, "callspec")
    ):
        return None
    given = item.callspec.params
    if "service_name" in given:
        return str(given["service_name"])
    service = given.get("service", given.get("any_service"))
    return service.name if isinstance(service, Service) else None


def place_of(item: pytest.Item) -> Place:
    """What needs the fleet is in one place, or where processes suffice in two; all that need Kafka or Connect without it are in another; a
    service's own tests are one, and its share of conformance; otherwise a file is."""
    level = level_of(item)
    if level == "fleet":
        return OPERATED if _processes(item.config) >= FOR_TWO_FLEETS and _operates(item) else FLEET
    if level != "postgres":
        return KAFKA
    service, path = service_of(item), item.path.relative_to(item.config.rootpath)
    return Place(path.as_posix() if service is None else f"{path.parts[0]} {service}")


def _processes(config: pytest.Config) -> int:
    told: Mapping[str, int] = getattr(config, "workerinput", {})
    return told.get("workercount", 1)


def _operates(item: pytest.Item) -> bool:
    """Whether it is of those that have the second fleet: half of them, by the time they take, and what disturbs others among them."""
    path = item.path.relative_to(item.config.rootpath)
    return path.parts[:2] != _TRADE or any(item.get_closest_marker(mark) for mark in ("early", "operates"))


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """What kills processes last, one after another; what goes through the gateway before it, and begins with what has the mark `early`; within
    that, as collected."""

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("early"):
            return _EARLY
        path = item.path.as_posix()
        return next((n for n, folder in enumerate(_LAST) if folder and f"/{folder}/" in path), -1)

    return sorted(items, key=rank)


def seconds_of(item: pytest.Item) -> float:
    """About how long it takes on an idle machine, by its mark `lasts`; a second where nothing is said."""
    mark = item.get_closest_marker("lasts")
    return 1.0 if mark is None else float(mark.args[0])


def in_places(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The places with a fleet first, then the one with Kafka, then the others, the longest first; within each as they were."""
    size: defaultdict[Place, float] = defaultdict(float)
    for item in items:
        size[place_of(item)] += seconds_of(item)

    def rank(item: pytest.Item) -> tuple[int, float, str]:
        place = place_of(item)
        return -LEVELS.index(place.level), -size[place], place.name

    return sorted(items, key=rank)
