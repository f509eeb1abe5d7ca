"""What a manifest promises, as the data that the edge forwards by and the issuer of tokens grants by."""

from tailrace.core.manifest import Manifest, Route
from tailrace.service import Service


def manifest_of(service: Service) -> Manifest:
    """In an order of its own, so that the same service gives the same bytes."""
    routes = [
        Route(
            service=service.name,
            prefix=exposed.prefix,
            public=exposed.public,
            stream=exposed.stream,
            read_timeout=exposed.read_timeout,
            write_timeout=exposed.write_timeout,
            body_limit=exposed.body_limit,
        )
        for exposed in sorted(service.exposes, key=lambda exposed: exposed.prefix)
    ]
    return Manifest(
        service=service.name,
        routes=routes,
        scopes=dict(sorted(service.grantable.items())),
        default_roles={role: sorted(scopes) for role, scopes in sorted(service.default_roles.items())},
    )
