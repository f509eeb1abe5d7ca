"""Where a service differs from the rule, read off its manifest and written down, so that each new exception shows in a review."""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from tailrace.http.routing import TenantRoute
from tailrace.service import Service

OWN = "own"
"""`openapi_extra={"x-policy": "own"}`: an operation on nothing but the caller's own, which needs a log-in and no scope."""


def exceptions(service: Service) -> dict[str, Any]:
    """JSON-ready: operations as `GET /v1/…`, the columns of tables without row-level security, and whether the app is one of its own."""
    found = list(_operations(service))
    metadata = service.metadata
    return {
        "answers_anybody": sorted(name for name, route in found if not isinstance(route, TenantRoute)),
        "needs_no_scope": sorted(name for name, route in found if is_own(route)),
        "platform_tables": {
            table: [column.name for column in metadata.tables[table].columns] if metadata is not None else []
            for table in sorted(service.platform_tables)
        },
        "operator_reads": sorted(service.operator_reads),
        "builds_its_own_app": service.build is not None,
    }


def is_own(route: APIRoute) -> bool:
    return (route.openapi_extra or {}).get("x-policy") == OWN


def _operations(service: Service) -> Iterator[tuple[str, APIRoute]]:
    for router in service.routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                for method in sorted(route.methods or ()):
                    yield f"{method} {route.path}", route
