"""Two gateways that differ in nothing but the fast path, each before an origin of its own: what is sent to both is to have the same effect."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_stand import Stand, bearer, stand_with, token
from strict_origin import Origin, Seen

from gateway.accesses import GONE
from gateway.fast.door import FastDoor

_BETWEEN = 0.02
"""Seconds between the pieces of what is sent, so that each comes by itself."""
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CHANGING = re.compile(rb"(?i)(date: |;r=|;t=)[^\r\n;]*")
_OTHERS = frozenset({b"host", b"traceparent", b"x-request-id", b"x-forwarded-host"})
"""What differs from one request to the next: it is there, whatever it says. (`x-forwarded-host` names the port in some.)"""
_LAST = (
    b"GET /v1/orders/last-{n} HTTP/1.1\r\nHost: h\r\nX-Case: {n}\r\nAuthorization: Bearer {token}\r\n"
    b"Connection: close\r\n\r\n"
)


@dataclass
class Side:
    """One gateway, and what is behind it. `answers` is what came back, by case and by how it was sent."""

    stand: Stand
    origin: Origin
    door: FastDoor
    answers: dict[tuple[int, str], bytes] = field(default_factory=dict)


@dataclass
class Two:
    fast: Side
    slow: Side
    token: str

    async def send(self, cases: Mapping[int, bytes], how: str, at_once: int) -> None:
        """Send each case to both, on a connection of its own: `whole`, or in `pieces`. A request that closes comes behind it."""
        turn = asyncio.Semaphore(at_once)
        for side in (self.fast, self.slow):
            await self._warm(side, at_once)
            async with asyncio.TaskGroup() as group:
                for number, case in cases.items():
                    group.create_task(self._case(side, number, case, how, turn))

    async def _warm(self, side: Side, at_once: int) -> None:
        """The token is known, and there are connections."""
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(self._ask(side))

    async def _ask(self, side: Side) -> None:
        headers = {**bearer(self.token), "X-Case": "0"}
        async with side.stand.client.get("/v1/orders/0", headers=headers) as answer:
            assert answer.status == 200

    async def _case(self, side: Side, number: int, case: bytes, how: str, turn: asyncio.Semaphore) -> None:
        async with turn, asyncio.timeout(120):
            reader, writer = await asyncio.open_connection("127.0.0.1", side.stand.port)
            answer = b""
            try:
                for piece in _pieces(self._filled(case, number), how):
                    writer.write(piece)
                    await asyncio.sleep(_BETWEEN)
                # Whoever is to close does not get more before it answered.
                answer = await reader.read(1 << 16)
                writer.write(self._filled(_LAST, number))
                answer += await reader.read()
            except ConnectionError:
                # It said what it had to say, and left.
                answer += bytes(reader._buffer)  # type: ignore[attr-defined]
            finally:
                side.answers[number, how] = answer
                writer.close()

    def _filled(self, case: bytes, number: int) -> bytes:
        return case.replace(b"{n}", b"%d" % number).replace(b"{token}", self.token.encode())

    def differences(self, names: Mapping[int, str], *, by_chance: bool = False) -> list[str]:
        """Where the two had another effect; where anything reached an origin that should not; empty, when all is well. What is made by chance may
        name no case, and ask for anything."""
        found = [
            f"{side.origin.wrong[:3]} was sent to an origin" for side in (self.fast, self.slow) if side.origin.wrong
        ]
        fast, slow = (_by_case(side.origin.seen) for side in (self.fast, self.slow))
        for number, name in (*names.items(), (None, "of no case")):
            if fast.get(number) != slow.get(number):
                found.append(f"{name}: the origins saw {fast.get(number)} and {slow.get(number)}")
        for key, answer in self.fast.answers.items():
            if _alike(answer) != _alike(self.slow.answers.get(key, b"")):
                found.append(
                    f"{names[key[0]]}, {key[1]}: {answer[:400]!r} and {self.slow.answers.get(key, b'')[:400]!r}"
                )
        for side in (self.fast, self.slow):
            if not by_chance:
                found += [f"smuggled: {seen.target!r}" for seen in side.origin.seen if b"smuggled" in seen.target]
                found += [f"of nobody: {seen}" for seen in side.origin.seen if seen.case is None]
            told = Counter(event.status for _, event, _, _ in side.stand.told.of)  # type: ignore[attr-defined]
            seen = [seen for seen in side.origin.seen if b"/public" not in seen.target]
            # A client that left in the middle may have been asked for, or not.
            if not told[200] <= len(seen) <= told[200] + told[GONE]:
                found.append(f"{told} were admitted, and the origin saw {len(seen)}")
        return found


def _pieces(sent: bytes, how: str) -> Iterable[bytes]:
    if how == "whole":
        return (sent,)
    body = sent.find(b"\r\n\r\n") + 4
    at = body if 4 <= body < len(sent) else len(sent) // 2
    return sent[:at], sent[at:]


def _by_case(seen: Sequence[Seen]) -> dict[int | None, Counter[Any]]:
    found: dict[int | None, Counter[Any]] = {}
    for each in seen:
        fields = tuple((name, b"" if name in _OTHERS else value) for name, value in each.fields)
        found.setdefault(each.case, Counter())[each.method, each.target, fields, each.body] += 1
    return found


def _alike(answer: bytes) -> bytes:
    return _CHANGING.sub(rb"\1", _UUID.sub(b"(id)", answer))


@asynccontextmanager
async def two_paths(folder: Path) -> AsyncIterator[Two]:
    """Limits that nothing here reaches, and times that are soon over."""
    origins = [Origin(), Origin()]
    served = [await origin.start() for origin in origins]
    sides = []
    async with _stands(folder, [port for _, port in served]) as stands:
        for stand, origin in zip(stands, origins, strict=True):
            sides.append(Side(stand, origin, stand.fast))
        fast, slow = sides
        yield Two(fast, slow, token(exp=2**31))
    for server, _ in served:
        server.close()


@asynccontextmanager
async def _stands(folder: Path, ports: Sequence[int]) -> AsyncIterator[list[Stand]]:
    settings: dict[str, Any] = {
        "address_burst": 100_000,
        "tenant_burst": 100_000,
        "client_grace": 0.5,
        "head_timeout": 0.5,
        "tenant_requests": 1000,
    }
    upstreams = [dict.fromkeys(("orders", "catalog"), f"http://127.0.0.1:{port}") for port in ports]
    async with (
        stand_with(folder / "fast", upstreams=upstreams[0], fast_path=True, **settings) as fast,
        stand_with(folder / "slow", upstreams=upstreams[1], fast_path=False, **settings) as slow,
    ):
        yield [fast, slow]
