"""A real gateway on a socket before services that run in the test's own process: what a client asks goes the whole way there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI
from gateway_stand import ByHand, Servers, Told

from gateway.app import build
from gateway.service import service as gateway
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace_testing import Harness

_PLENTY = 1_000_000


@asynccontextmanager
async def gateway_before(services: Mapping[str, Harness]) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the gateway without a token; those of the services' issuer are taken. No limit of rate holds: a month is asked in a minute."""
    servers, feed = Servers(), ByHand()
    feed.begun.set()
    issuer = next(iter(services.values())).issuer
    identity = FastAPI()
    identity.add_api_route("/.well-known/jwks.json", lambda: issuer.keys.as_dict(private=False), methods=["GET"])
    try:
        ports = {"identity": await servers.start(identity, Service(name="identity"))}
        for name, harness in services.items():
            ports[name] = await servers.start(harness.app, harness.service, running=True)
        settings = Settings(
            ports=ports,
            jwks_url=f"http://127.0.0.1:{ports['identity']}/.well-known/jwks.json",
            tenant_rate=_PLENTY,
            tenant_burst=_PLENTY,
        )
        port = await servers.start(build(settings, feed=feed, teller=Told()), gateway, settings)
        await feed.current.wait()
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            yield client
    finally:
        await servers.stop()
