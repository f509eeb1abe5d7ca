"""Which services are installed, and which of them has a part that others depend on: from their packages' entry points, importing none.

As they are when a process first asks: every manifest asks, and looking through all packages takes 15 ms.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

SERVICES = "tailrace.services"
STAND_INS = "tailrace.stand_ins"
"""By the name of a partner, the service that stands in for it in development; what the manifest says as `stands_in=True`."""
EDGE = "tailrace.edge"
"""What the manifest says as `edge=True`."""
ISSUERS = "tailrace.issuers"
"""What the manifest says as `issues_tokens=True`."""


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def installed(group: str = SERVICES) -> list[str]:
    """Their names, in order."""
    return sorted({entry.name for entry in _points(group)})


def stand_ins() -> dict[str, str]:
    """By the name of each partner, the service that stands in for it at `/<partner>`: its name is that of its package."""
    return {point.name: point.module.partition(".")[0] for point in _points(STAND_INS)}
