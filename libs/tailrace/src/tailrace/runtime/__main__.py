"""`python -m tailrace.runtime`: what a container runs: serve one service, prepare its database, topics and connector, or release the last.

Settings come from `TAILRACE_…` variables. Exit code 1 with a reason and a remedy on standard error when it cannot go on.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import get_args

from tailrace.core.operator_error import OperatorError
from tailrace.core.progress import Phase
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings


def serve_one(name: str, host: str, port: int, part: str) -> None:
    """Serve until SIGTERM. `part` is all, api or consumer. Raises `OperatorError` for an unknown service or part."""
    from tailrace.runtime.process import BOTH, Part, run

    parts: dict[str, frozenset[Part]] = {"all": BOTH, **{each: frozenset([each]) for each in get_args(Part)}}
    if part not in parts:
        raise OperatorError(f"there is no part {part}", f"one of: {', '.join(parts)}")
    (service,) = named_services([name])
    run(service, Settings(), port, host=host, parts=parts[part])


def prepare_some(names: Sequence[str]) -> None:
    """Databases, topics and connectors of these services, of all when none is named. Raises `OperatorError`."""
    from tailrace.runtime.provision import fence_restored, prepare_connectors, prepare_databases, prepare_topics

    def say(part: str, phase: Phase, detail: str) -> None:
        if phase == "ready" or detail:
            print(f"{part} {phase}: {detail}", flush=True)

    services, settings = named_services(names), Settings()
    prepare_databases([service for service in services if service.metadata is not None], settings, say)
    asyncio.run(prepare_topics(services, settings, say))
    asyncio.run(fence_restored(services, settings, say))
    asyncio.run(prepare_connectors(services, settings, say))


def release_some(names: Sequence[str]) -> None:
    """Remove the connectors and slots of these services, which are being uninstalled. Raises `OperatorError`."""
    import asyncpg

    from tailrace.capture.connect_api import Rest
    from tailrace.capture.release import release
    from tailrace.capture.slots import RepairUnderWay
    from tailrace.http.outgoing import UNREACHED

    services, settings = [each for each in named_services(names) if each.topic is not None], Settings()

    async def work() -> None:
        async with Rest(settings.connect) as rest:
            for service in services:
                await release(service, settings, rest, lambda words: print(f"{service.name}: {words}", flush=True))  # noqa: B023

    try:
        asyncio.run(work())
    except (*UNREACHED, RepairUnderWay, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OperatorError(
            f"nothing more was removed: {error}", "run it again: release finishes what it began"
        ) from None


def named_services(names: Sequence[str]) -> list[Service]:
    """The installed services of these names, or all. Raises `OperatorError` for one that is not installed."""
    found = load_services(names)
    if missing := set(names) - {service.name for service in found}:
        known = ", ".join(service.name for service in load_services())
        raise OperatorError(f"there is no service {', '.join(sorted(missing))} here", f"installed: {known or 'none'}")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tailrace.runtime", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    serving = commands.add_parser("serve", help="run one service in the foreground")
    serving.add_argument("service")
    serving.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    serving.add_argument("--port", type=int, default=8080, help="the port to listen on")
    serving.add_argument("--part", default="all", help="all, api (HTTP) or consumer (events, timers, clean-up)")
    serving.set_defaults(run=lambda told: serve_one(told.service, told.host, told.port, told.part))
    preparing = commands.add_parser("prepare", help="make databases, topics and connectors")
    preparing.add_argument("services", nargs="*", help="all when none is named")
    preparing.set_defaults(run=lambda told: prepare_some(told.services))
    releasing = commands.add_parser("release", help="remove connectors and replication slots, after an uninstall")
    releasing.add_argument("services", nargs="+")
    releasing.set_defaults(run=lambda told: release_some(told.services))
    return parser.parse_args()


def main() -> None:
    told = _arguments()
    try:
        told.run(told)
    except OperatorError as error:
        print(error.what, *([f"  → {error.remedy}"] if error.remedy else []), sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
