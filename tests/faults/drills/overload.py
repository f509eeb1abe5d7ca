"""`make drill DRILL=overload`: three times what one service holds is asked of it, by callers who wait for ten seconds.

First one caller after the other says how quick an answer is; then as many as keep it busy say what it holds; then requests come at three times that
rate, whatever becomes of them. Answered has to be 80 % of what it holds, and the 99th percentile of those answers within three times that of an idle
service. `--unlimited` shows what happens without admission control.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field

from asking import free_port, listens

from drills.stage import Figures, folder_of_its_own
from tailrace.core.ids import uuid7
from tailrace.runtime.fleet import load_services
from tailrace.runtime.migrate import prepare_database
from tailrace.settings import settings_from
from tailrace.stack.embedded import Stack
from tailrace_testing.tokens import TestIssuer

(CATALOG,) = load_services(["catalog"])
TIMES, SECONDS, CALLER_WAITS = 3.0, 15.0, 10.0
_UNLIMITED = (
    "from tailrace.http import admission; admission.LATE = 1e9; admission.Limit.__init__.__kwdefaults__['late'] = 1e9; "
)
_SERVE = "import sys; from tailrace.runtime.__main__ import serve_one; serve_one('catalog', '127.0.0.1', int(sys.argv[1]), 'api')"


@dataclass
class Tally:
    """What came of requests: seconds by status; 0 is none in time."""

    answers: dict[int, list[float]] = field(default_factory=dict)

    def note(self, status: int, seconds: float) -> None:
        self.answers.setdefault(status, []).append(seconds)

    def p99(self, status: int = 200) -> float:
        return statistics.quantiles(self.answers.get(status) or [0.0, 0.0], n=100)[98]

    def count(self, status: int = 200) -> int:
        return len(self.answers.get(status, ()))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--unlimited", action="store_true", help="without admission control, for comparison")
    unlimited = options.parse_args().unlimited
    figures = Figures()
    with (
        folder_of_its_own("overload") as folder,
        Stack(folder / "data", only="postgres", services=["catalog"]) as stack,
    ):
        asyncio.run(_drill(stack, figures, unlimited=unlimited))


async def _drill(stack: Stack, figures: Figures, *, unlimited: bool) -> None:
    settings = settings_from(stack.environment)
    await prepare_database(settings.postgres, CATALOG, settings)
    issuer, port = TestIssuer(), free_port()
    async with await _publish_keys(issuer) as keys:
        keys_url = f"http://127.0.0.1:{keys.sockets[0].getsockname()[1]}/keys"
        environment = {
            **os.environ,
            **stack.environment,
            "TAILRACE_JWKS_URL": keys_url,
            "TAILRACE_LOG_LEVEL": "WARNING",
            "TAILRACE_REQUESTS_AT_ONCE": "500",
        }
        program = (_UNLIMITED if unlimited else "") + _SERVE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(port), env=environment)
        try:
            await listens(port)
            token = issuer.token(tenant=uuid7())
            await _measure(figures, port, token, unlimited=unlimited)
        finally:
            process.terminate()
            await process.wait()


async def _measure(figures: Figures, port: int, token: str, *, unlimited: bool) -> None:
    await _closed(port, token, callers=4, seconds=3)
    idle = await _closed(port, token, callers=1, seconds=6)
    figures.say(f"idle: p50 {statistics.median(idle.answers[200]) * 1000:.1f} ms, p99 {idle.p99() * 1000:.1f} ms")
    full = await _closed(port, token, callers=6, seconds=8)
    capacity = full.count() / 8
    figures.say(f"busy: {capacity:.0f} answers a second, p99 {full.p99() * 1000:.1f} ms")
    over = await _open(port, token, rate=TIMES * capacity, seconds=SECONDS)
    answered = over.count() / SECONDS
    others = ", ".join(
        f"{len(times)} × {status or 'no answer in time'}"
        for status, times in sorted(over.answers.items())
        if status != 200
    )
    figures.say(
        f"asked for {TIMES * capacity:.0f} a second: {answered:.0f} answered ({answered / capacity:.0%} of what it holds), "
        f"p99 {over.p99() * 1000:.1f} ms ({over.p99() / idle.p99():.1f} times the idle one); {others}"
    )
    again = await _closed(port, token, callers=1, seconds=3)
    figures.say(f"afterwards: p99 {again.p99() * 1000:.1f} ms")
    if not unlimited and (answered < 0.8 * capacity or over.p99() > 3 * idle.p99()):
        raise SystemExit("it does not hold what it is to hold")


async def _closed(port: int, token: str, *, callers: int, seconds: float) -> Tally:
    """So many callers, each asking again as soon as it has its answer."""
    tally, end = Tally(), time.monotonic() + seconds

    async def caller() -> None:
        connection = await Connection.open(port, token)
        while time.monotonic() < end:
            tally.note(*await connection.ask())
        connection.close()

    await asyncio.gather(*[caller() for _ in range(callers)])
    return tally


async def _open(port: int, token: str, *, rate: float, seconds: float) -> Tally:
    """A request every so often, whatever becomes of those before it."""
    tally, free, asking = Tally(), list[Connection](), set[asyncio.Task[None]]()

    async def one() -> None:
        began = time.monotonic()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(CALLER_WAITS):
                connection = free.pop() if free else await Connection.open(port, token)
                status, _ = await connection.ask()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            tally.note(0, time.monotonic() - began)
            if connection is not None:
                connection.close()
            return
        tally.note(status, time.monotonic() - began)
        free.append(connection)

    start = time.monotonic()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one())
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.gather(*asking)
    for connection in free:
        connection.close()
    return tally


class Connection:
    """One kept alive, which asks for a list, as cheaply as can be: who measures shares the machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader, self._writer = reader, writer
        self._request = f"GET /v1/items?limit=20 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    @classmethod
    async def open(cls, port: int, token: str) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port), token)

    async def ask(self) -> tuple[int, float]:
        """Status and seconds."""
        began = time.monotonic()
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await self._reader.readexactly(length)
        return int(head[9:12]), time.monotonic() - began

    def close(self) -> None:
        self._writer.close()


async def _publish_keys(issuer: TestIssuer) -> asyncio.Server:
    body = json.dumps(issuer.keys.as_dict(private=False)).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


if __name__ == "__main__":
    main()
