"""`tailrace serve` and `tailrace prepare`: one service at a time, as a container or a job runs it, with everything told by `TAILRACE_…` variables."""

from collections.abc import Sequence

from tailrace.cli.console import out
from tailrace.service import Service
from tailrace.stack.errors import StackError


def serve_one(name: str, host: str, port: int, part: str) -> None:
    """Serve until SIGTERM. `part` is all, api or consumer. Raises `StackError` for an unknown service or part."""
    from tailrace.run import BOTH, Part, run
    from tailrace.settings import Settings

    parts: dict[str, frozenset[Part]] = {"all": BOTH, "api": frozenset(["api"]), "consumer": frozenset(["consumer"])}
    if part not in parts:
        raise StackError(f"there is no part {part}", f"one of: {', '.join(parts)}")
    (service,) = _named([name])
    run(service, Settings(), port, host=host, parts=parts[part])


def prepare_some(names: Sequence[str]) -> None:
    """Databases, topics and connectors of these services, of all when none is named. Raises `StackError`."""
    import asyncio

    from tailrace.settings import Settings
    from tailrace.stack.prepare import prepare_connectors, prepare_databases, prepare_topics
    from tailrace.stack.state import Phase

    def say(part: str, phase: Phase, detail: str) -> None:
        if phase == "ready" or detail:
            out.print(f"{part} {phase}: {detail}", soft_wrap=True)

    services, settings = _named(names), Settings()
    prepare_databases([service for service in services if service.metadata is not None], settings, say)
    asyncio.run(prepare_topics(services, settings, say))
    asyncio.run(prepare_connectors(services, settings, say))


def print_secret(name: str) -> None:
    """The Kubernetes Secret of one service, as JSON for `kubectl apply -f -`, derived from TAILRACE_POSTGRES and TAILRACE_SECRET."""
    import json

    from tailrace.settings import Settings

    (service,), settings = _named([name]), Settings()
    values = {"secret": settings.own_secret(name)}
    if service.metadata is not None:
        values["database-url"] = settings.database(name)
    if settings.operator_password:
        values["operator-password"] = settings.operator_password
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"tailrace-{name}"}, "stringData": values}
    print(json.dumps(secret, indent=2))


def _named(names: Sequence[str]) -> list[Service]:
    from tailrace.fleet import load_services

    found = load_services(names)
    if missing := set(names) - {service.name for service in found}:
        known = ", ".join(service.name for service in load_services())
        raise StackError(f"there is no service {', '.join(sorted(missing))} here", f"installed: {known or 'none'}")
    return found
