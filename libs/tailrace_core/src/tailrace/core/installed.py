"""Which services are installed, and which of them has a part that others depend on: from their packages' entry points, importing none."""

from importlib.metadata import entry_points

SERVICES = "tailrace.services"
EDGE = "tailrace.edge"
"""What the manifest says as `edge=True`."""
ISSUERS = "tailrace.issuers"
"""What the manifest says as `issues_tokens=True`."""


def installed(group: str = SERVICES) -> list[str]:
    """Their names, in order."""
    return sorted({entry.name for entry in entry_points(group=group)})
