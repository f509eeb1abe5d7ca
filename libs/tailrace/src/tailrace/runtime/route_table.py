"""The gateway's route table is data: derived here from the manifests, written to a file, and read by a gateway that imports no service."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tailrace.service import Service

_PREFIX = r"^(/[A-Za-z0-9._~-]+)+$"


class Route(BaseModel):
    """One path prefix, the service behind it, and its policy. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    prefix: str = Field(pattern=_PREFIX)
    public: bool = False
    read_timeout: float = Field(default=2.0, gt=0)
    write_timeout: float = Field(default=5.0, gt=0)
    body_limit: int = Field(default=2 * 1024 * 1024, ge=0)


def routes(services: Sequence[Service]) -> list[dict[str, Any]]:
    """The route table of these services as JSON-ready rows, ordered by prefix: the same manifests give the same bytes.

    Raises ValueError when two services claim one prefix, or a prefix is no plain path.
    """
    owners: dict[str, str] = {}
    table: list[Route] = []
    for service in services:
        for exposed in service.exposes:
            if exposed.prefix in owners:
                raise ValueError(f"{service.name} and {owners[exposed.prefix]} both expose {exposed.prefix}")
            owners[exposed.prefix] = service.name
            table.append(
                Route(
                    service=service.name,
                    prefix=exposed.prefix,
                    public=exposed.public,
                    read_timeout=exposed.read_timeout,
                    write_timeout=exposed.write_timeout,
                    body_limit=exposed.body_limit,
                )
            )
    return [route.model_dump() for route in sorted(table, key=lambda route: route.prefix)]
