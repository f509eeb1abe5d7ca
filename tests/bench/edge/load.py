"""Load on one side: wrk, with another token for each request; or, where it is only to be seen that all works, a few requests by a client of ours."""

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

PATH = "/v1/orders/0192f0c4-6a1e-7c1b-9b59-3a6c1a7f6d10"
_SCRIPT = """
local made, n = {}, 0
init = function(args)
  for line in io.lines("TOKENS") do
    made[#made + 1] = wrk.format("GET", "PATH", {["Authorization"] = "Bearer " .. line, ["Accept"] = "application/json", ["User-Agent"] = "wrk"})
  end
end
request = function() n = n % #made + 1; return made[n] end
done = function(summary, latency, requests)
  local wrong = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong))
end
"""


@dataclass(frozen=True)
class Figures:
    """Of one turn of one side. Latencies in microseconds, as is what its processes used of a processor for each request (`cpu`). An answer that is
    only late is not `wrong`."""

    requests: int
    seconds: float
    p50: float
    p99: float
    wrong: int
    cpu: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def told(self) -> Mapping[str, float]:
        return {**asdict(self), "rate": round(self.rate, 1)}


def script(folder: Path, tokens: Sequence[str]) -> Path:
    (folder / "tokens.txt").write_text("\n".join(tokens))
    made = folder / "load.lua"
    made.write_text(_SCRIPT.replace("TOKENS", str(folder / "tokens.txt")).replace("PATH", PATH))
    return made


def wrk(
    command: str,
    environment: Mapping[str, str],
    lua: Path,
    port: int,
    connections: int,
    seconds: float,
    pids: Sequence[int],
) -> Figures:
    before = sum(map(cpu_of, pids))
    asked = [command, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(lua), f"http://127.0.0.1:{port}"]
    done = subprocess.run(
        pinned(1, asked), env=dict(environment), capture_output=True, text=True, check=True, timeout=seconds + 60
    )
    used = sum(map(cpu_of, pids)) - before
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise ValueError(done.stdout + done.stderr)
    requests, lasted, p50, p99, wrong = map(int, found.groups())
    return Figures(requests, lasted / 1e6, p50, p99, wrong, used / max(requests, 1))


async def few(port: int, tokens: Sequence[str], many: int, pids: Sequence[int]) -> Figures:
    """So many requests, one after the other."""
    before, loop, took, wrong = sum(map(cpu_of, pids)), asyncio.get_running_loop(), [], 0
    began = loop.time()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        for number in range(many):
            at = loop.time()
            async with client.get(PATH, headers={"Authorization": f"Bearer {tokens[number % len(tokens)]}"}) as answer:
                await answer.read()
                wrong += answer.status != 200
            took.append((loop.time() - at) * 1e6)
    took.sort()
    used = sum(map(cpu_of, pids)) - before
    return Figures(many, loop.time() - began, took[many // 2], took[many * 99 // 100], wrong, used / many)


def pinned(core: int, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command] if (os.cpu_count() or 1) > 1 else list(command)


def cpu_of(pid: int) -> float:
    """Microseconds that a process has used so far."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    return sum(map(int, text[text.rindex(")") + 2 :].split()[11:13])) * 1e6 / os.sysconf("SC_CLK_TCK")
