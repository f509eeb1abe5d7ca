"""The operations of a service: what its OpenAPI document offers, with the route that stands behind each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tailrace.codegen.deviations import is_own
from tailrace.http.routing import TenantRoute
from tailrace.service import Service
from tailrace.transfer.bulk import BulkRoute

_METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """`GET /v1/things/{thing_id}` and what is declared about it."""

    method: str
    path: str
    said: Mapping[str, Any]
    document: Mapping[str, Any]
    route: APIRoute | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_tenants(self) -> bool:
        """Whether the kit stands before it: token, tenant, transaction, idempotency."""
        return isinstance(self.route, TenantRoute)

    @property
    def is_bulk(self) -> bool:
        """Whether it takes many things at once, each by itself."""
        return isinstance(self.route, BulkRoute)

    @property
    def is_own(self) -> bool:
        return self.route is not None and is_own(self.route)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        return {parameter["name"]: parameter for parameter in self.said.get("parameters", ())}

    @property
    def in_path(self) -> Sequence[str]:
        return [name for name, parameter in self.parameters.items() if parameter["in"] == "path"]

    @property
    def ids(self) -> Sequence[str]:
        return [n for n in self.in_path if self.parameters[n]["schema"].get("format") == "uuid"]

    @property
    def takes_if_match(self) -> bool:
        return "if-match" in {name.lower() for name in self.parameters}

    @cached_property
    def body_fields(self) -> frozenset[str]:
        """What the body declares, at its top."""
        media = self.said.get("requestBody", {}).get("content", {}).values()
        return frozenset(name for each in media for name in self._declared(each["schema"]))

    def _declared(self, schema: Mapping[str, Any]) -> Iterator[str]:
        """Whichever of several bodies it may be."""
        schema = self.resolved(schema)
        yield from schema.get("properties", {})
        for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
            yield from self._declared(one)

    def answer_schema(self) -> Mapping[str, Any]:
        """The schema of the 2xx answer; empty when there is no body."""
        for status, answer in self.said["responses"].items():
            if status.startswith("2"):
                schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
                return self.resolved(schema)
        return {}

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    @property
    def lists(self) -> bool:
        return not self.writes and "next_cursor" in self.answer_schema().get("properties", {})

    @property
    def is_versioned(self) -> bool:
        return "version" in self.answer_schema().get("properties", {})


def operations(service: Service, app: FastAPI) -> list[Operation]:
    routes = {
        (method, route.path): route
        for router in service.routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    document = app.openapi()
    return [
        Operation(method.upper(), path, item[method], document, routes.get((method.upper(), path)))
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
