"""The gateway as a process of its own, as the fleet runs it, behind it one address for every service: `python -m edge.ours PORT UPSTREAM KEYS`.

It has the routes that the manifests promise, limits that no run reaches, and no Kafka: it is told of no revocation, and tells nobody of accesses
unless `--told`, with which it makes each event that it would send, and drops it.
"""

import argparse
import asyncio
from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import FastAPI

from gateway.app import build
from gateway.revocations import Revocations
from gateway.service import service
from tailrace.core.events import Event
from tailrace.runtime.process import run
from tailrace.settings import Settings


class Quiet:
    """A feed by which nothing was revoked."""

    async def run(self, revocations: Revocations) -> None:
        revocations.is_current()
        await asyncio.Event().wait()


class Dropped:
    """A teller that writes each event as it would be sent, and sends none."""

    def note(self, tenant_id: UUID, event: Event, *, correlation_id: UUID, actor: str) -> None:
        event.model_dump_json()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m edge.ours")
    parser.add_argument("port", type=int)
    parser.add_argument("upstream")
    parser.add_argument("keys")
    parser.add_argument("--told", action="store_true")
    parser.add_argument("--log", default="WARNING")
    parser.add_argument("--asgi", action="store_true", help="by the ASGI path alone")
    asked = parser.parse_args()
    settings = Settings(
        upstream=asked.upstream,
        jwks_url=asked.keys,
        tenant_rate=1e6,
        tenant_burst=1_000_000,
        tenant_requests=1000,
        address_rate=1e6,
        address_burst=1_000_000,
        log_level=asked.log,
        fast_path=not asked.asgi,
    )
    made = partial(_app, told=asked.told)
    run(replace(service, build=made), settings, asked.port)


def _app(settings: Settings, *, told: bool) -> FastAPI:
    return build(settings, feed=Quiet(), teller=Dropped() if told else None)


if __name__ == "__main__":
    main()
