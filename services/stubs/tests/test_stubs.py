"""The stand-ins on a real port: what they do, each once for a key, what was asked of them, and everything that can go wrong, switched on and off."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import uvicorn

from stubs.service import service
from tailrace.runtime.process import http_config
from tailrace.settings import Settings

ADDRESS = {"country": "DE", "number": "DE136695976"}


@pytest.fixture
async def stubs() -> AsyncIterator[httpx2.AsyncClient]:
    assert service.build is not None
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(http_config(service, service.build(Settings()), "127.0.0.1", port))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  (uvicorn offers a flag, not an event)
        await asyncio.sleep(0.01)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    await serving


async def _switch(stubs: httpx2.AsyncClient, *faults: dict[str, Any]) -> None:
    (await stubs.put("/stubs/faults", json=list(faults))).raise_for_status()


async def test_every_partner_does_what_it_is_for(stubs: httpx2.AsyncClient) -> None:
    parcel = {"reference": "S-1", "country": "DE", "weight_grams": 1200}
    booked = (await stubs.post("/carrier/bookings", json=parcel)).json()
    assert (booked["tracking_number"], booked["cost"]) == ("TR000001", 620)
    tracked = (await stubs.get(f"/carrier/bookings/{booked['tracking_number']}")).json()
    assert tracked["state"] in {"booked", "picked_up", "in_transit", "delivered"}
    assert (await stubs.get("/carrier/bookings/TR9")).status_code == 404
    for on, expected in (("2026-11-27", ["10", "8"]), ("2019-09-30", ["8"])):
        assert (await stubs.get("/tax/rates", params={"country": "JP", "on": on})).json()["rates"] == expected
    await stubs.post("/mail/messages", json={"to": ["a@x.example"], "subject": "Hello"})
    await stubs.post("/mail/messages", json={"to": ["b@x.example"], "subject": "Hello"})
    assert [each["to"] for each in (await stubs.get("/mail/messages", params={"to": "b@x.example"})).json()] == [
        ["b@x.example"]
    ]
    payment = {"reference": "I-1", "account": "DE02120300000000202051", "amount": 2500, "currency": "EUR"}
    await stubs.post("/bank/payments", json=payment)
    said = (await stubs.get("/bank/statement")).json()
    assert (len(said["lines"]), said["closing"]) == (1, 99_997_500)
    results = [
        (await stubs.post("/verification/tax-ids", json={**ADDRESS, "number": n})).json()["result"]
        for n in ("17", "18", "19")
    ]
    assert results == ["valid", "unknown", "invalid"]
    for name, result in (("Ada Works", "valid"), ("Bankrupt AG", "invalid")):
        said = (await stubs.post("/verification/companies", json={"country": "DE", "name": name})).json()
        assert said["result"] == result


async def test_a_carrier_knows_a_booking_by_its_reference(stubs: httpx2.AsyncClient) -> None:
    parcel = {"reference": "B-1", "country": "JP", "weight_grams": 1200, "service": "express"}
    numbers = [(await stubs.post("/carrier/bookings", json=parcel)).json()["tracking_number"] for _ in range(2)]
    assert numbers == ["TR000001"] * 2
    assert (await stubs.get("/carrier/ways/B-2")).status_code == 404
    assert (await stubs.post("/carrier/cancellations", json={"reference": "B-2"})).json() == {"cancelled": True}
    step = {"reference": "x", "state": "picked_up", "at": "2026-06-01T09:00:00Z"}
    await stubs.put("/carrier/ways/B-1", json=[])
    assert (await stubs.post("/carrier/cancellations", json={"reference": "B-1"})).status_code == 200
    assert (await stubs.post("/carrier/bookings", json=parcel)).json()["tracking_number"] == "TR000002"
    await stubs.put("/carrier/ways/B-1", json=[step])
    assert [each["state"] for each in (await stubs.get("/carrier/ways/B-1")).json()["steps"]] == ["picked_up"]
    assert (await stubs.post("/carrier/cancellations", json={"reference": "B-1"})).status_code == 409


async def test_the_same_key_is_done_once(stubs: httpx2.AsyncClient) -> None:
    payment = {"reference": "I-1", "account": "X", "amount": 2500, "currency": "EUR"}
    first, second, third = [
        (await stubs.post("/bank/payments", json=payment, headers={"Idempotency-Key": key})).json() for key in "aab"
    ]
    assert first == second != third
    assert (await stubs.get("/bank/statement")).json()["closing"] == 99_995_000


async def test_what_was_asked_is_listed_without_its_secret(stubs: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k-1", "Authorization": "Bearer s3cr3t"}
    await stubs.post("/verification/tax-ids", json=ADDRESS, headers=headers)
    await stubs.get("/bank/statement")
    text = (await stubs.get("/stubs/log", params={"partner": "verification"})).text
    assert "s3cr3t" not in text
    (entry,) = (await stubs.get("/stubs/log", params={"contains": "136695976"})).json()
    assert (entry["path"], entry["key"], entry["authorized"]) == ("/verification/tax-ids", "k-1", True)
    await stubs.delete("/stubs/log")
    assert (await stubs.get("/stubs/log")).json() == []


async def _ask(stubs: httpx2.AsyncClient) -> httpx2.Response:
    return await stubs.post("/verification/tax-ids", json=ADDRESS)


async def test_each_failure_can_be_switched_on_and_off(stubs: httpx2.AsyncClient) -> None:
    await _switch(stubs, {"kind": "status", "status": 429, "seconds": 7})
    refused = await _ask(stubs)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    await _switch(stubs, {"kind": "drop"})
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        await _ask(stubs)
    await _switch(stubs, {"kind": "truncated"})
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
        await _ask(stubs)
    await _switch(stubs, {"kind": "garbage"})
    with pytest.raises(ValueError):  # noqa: PT011
        (await _ask(stubs)).json()
    await _switch(stubs, {"kind": "content_type"})
    assert (await _ask(stubs)).headers["content-type"] == "text/html"
    await _switch(stubs, {"kind": "delay", "seconds": 0.3})
    began = time.monotonic()
    assert (await _ask(stubs)).status_code == 200
    assert time.monotonic() - began > 0.29
    await _switch(stubs)
    assert (await _ask(stubs)).json()["result"] == "valid"
    kinds = [each["fault"] for each in (await stubs.get("/stubs/log")).json()]
    assert kinds == ["status", "drop", "truncated", "garbage", "content_type", "delay", None]


async def test_a_failure_of_one_partner_each_third_time_twice_in_all(stubs: httpx2.AsyncClient) -> None:
    await _switch(stubs, {"partner": "verification", "path": "/tax", "kind": "status", "every": 3, "times": 2})
    assert (await stubs.get("/bank/statement")).status_code == 200
    company = {"country": "DE", "name": "Ada"}
    assert (await stubs.post("/verification/companies", json=company)).status_code == 200
    assert [(await _ask(stubs)).status_code for _ in range(9)] == [200, 200, 503, 200, 200, 503, 200, 200, 200]


async def test_what_was_done_may_not_be_heard_of(stubs: httpx2.AsyncClient) -> None:
    await _switch(stubs, {"partner": "bank", "kind": "drop", "first": True, "times": 1})
    payment = {"reference": "I-1", "account": "X", "amount": 100, "currency": "EUR"}
    headers = {"Idempotency-Key": "once"}
    with pytest.raises(httpx2.RemoteProtocolError):
        await stubs.post("/bank/payments", json=payment, headers=headers)
    assert (await stubs.post("/bank/payments", json=payment, headers=headers)).status_code == 201
    assert len((await stubs.get("/bank/statement")).json()["lines"]) == 1


async def test_a_fault_that_there_is_not_is_refused(stubs: httpx2.AsyncClient) -> None:
    for wrong in (
        {"kind": "fire"},
        {"kind": "status", "status": 200},
        {"kind": "drop", "every": 0},
        {"kind": "drop", "x": 1},
    ):
        assert (await stubs.put("/stubs/faults", json=[wrong])).status_code == 422


async def test_it_is_ready_at_once(stubs: httpx2.AsyncClient) -> None:
    assert (await stubs.get("/health/ready")).json() == {"status": "ready"}
