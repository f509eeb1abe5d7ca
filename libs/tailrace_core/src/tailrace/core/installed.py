"""Which services are installed, and which of them has a part that others depend on: from their packages' entry points, importing none."""

from importlib.metadata import entry_points

SERVICES = "tailrace.services"
STAND_INS = "tailrace.stand_ins"
"""By the name of a partner, the service that stands in for it in development; what the manifest says as `stands_in=True`."""
EDGE = "tailrace.edge"
"""What the manifest says as `edge=True`."""
ISSUERS = "tailrace.issuers"
"""What the manifest says as `issues_tokens=True`."""


def installed(group: str = SERVICES) -> list[str]:
    """Their names, in order."""
    return sorted({entry.name for entry in entry_points(group=group)})


def stand_ins() -> dict[str, str]:
    """By the name of each partner, the service that stands in for it at `/<partner>`: its name is that of its package."""
    return {point.name: point.module.partition(".")[0] for point in entry_points(group=STAND_INS)}
