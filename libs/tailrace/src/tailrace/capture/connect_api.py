"""Kafka Connect's REST interface: the few calls that preparing, watching and repairing connectors need."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from tailrace.core.operator_error import OperatorError

_TRIES, _PAUSE = 80, 0.25
"""How often, and after how many seconds, something is asked of Connect again."""


class Rest:
    """Connect's REST interface, for the length of a `with` block."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    async def __aenter__(self) -> "Rest":
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def healthy(self) -> bool:
        """Whether the worker has joined its group and answers. Silent while the port is closed."""
        try:
            async with self._session.get(f"{self.url}/health", timeout=aiohttp.ClientTimeout(total=3)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def put(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector, or change it when its settings differ. Raises `OperatorError` with Connect's own words."""
        if await self._current(name) == {**config, "name": name}:
            return
        for _ in range(40):
            async with self._session.put(f"{self.url}/connectors/{name}/config", json=dict(config)) as answer:
                if answer.status < 300:
                    return
                text = await answer.text()
                if answer.status != 409:  # 409: a rebalance is under way
                    raise OperatorError(f"Connect refused the connector {name}: {text[:500]}", "see the log of connect")
            await asyncio.sleep(0.25)
        raise OperatorError(
            f"Connect kept rebalancing instead of taking the connector {name}", "see the log of connect"
        )

    async def statuses(self) -> dict[str, Any]:
        """`{name: {"connector": {"state": …}, "tasks": [{"id", "state", "trace"}]}}`. Raises `aiohttp.ClientError`."""
        async with self._session.get(f"{self.url}/connectors?expand=status") as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return {name: entry["status"] for name, entry in found.items()}

    async def restart(self, name: str) -> None:
        """Restart what failed of a connector, its tasks included."""
        path = f"{self.url}/connectors/{name}/restart?includeTasks=true&onlyFailed=true"
        async with self._session.post(path, json={}) as answer:
            answer.raise_for_status()

    async def restart_all(self, name: str) -> None:
        """Restart a connector and its tasks, failed or not."""
        async with self._session.post(f"{self.url}/connectors/{name}/restart?includeTasks=true", json={}) as answer:
            answer.raise_for_status()

    async def restart_task(self, name: str) -> None:
        """Restart a connector's one task, failed or not."""
        async with self._session.post(f"{self.url}/connectors/{name}/tasks/0/restart", json={}) as answer:
            answer.raise_for_status()

    async def hold(self, name: str, config: Mapping[str, str]) -> None:
        """Stop a connector, or create it stopped; returns when none of its tasks is left. It stays stopped, also when Connect restarts."""
        if await self._current(name) is None:
            body = {"name": name, "config": dict(config), "initial_state": "STOPPED"}
            await self._insist("POST", "/connectors", body)
        else:
            await self._insist("PUT", f"/connectors/{name}/stop")
        for _ in range(_TRIES):
            status = (await self.statuses()).get(name)
            if status is not None and status["connector"]["state"] == "STOPPED" and not status["tasks"]:
                return
            await asyncio.sleep(_PAUSE)
        raise OperatorError(f"the connector {name} does not stop", "see the log of connect")

    async def forget_offsets(self, name: str) -> None:
        """Let a stopped connector begin where its slot stands."""
        await self._insist("DELETE", f"/connectors/{name}/offsets")

    async def resume(self, name: str) -> None:
        """Let a paused or stopped connector go on; one that runs is left alone."""
        await self._insist("PUT", f"/connectors/{name}/resume")

    async def position(self, name: str) -> int | None:
        """The stored offset, in bytes of PostgreSQL's log: Kafka acknowledged nothing beyond. None when nothing is stored."""
        async with self._session.get(f"{self.url}/connectors/{name}/offsets") as answer:
            if answer.status == 404:
                return None
            answer.raise_for_status()
            stored = (await answer.json())["offsets"]
        offset = (stored[0]["offset"] if stored else None) or {}
        return max((int(offset[key]) for key in ("lsn", "lsn_proc", "lsn_commit") if offset.get(key)), default=None)

    async def _insist(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Ask until Connect, which may be rebalancing (409) or still stopping a task (5xx), agrees. Raises `OperatorError`."""
        text = ""
        for _ in range(_TRIES):
            async with self._session.request(method, f"{self.url}{path}", json=body or {}) as answer:
                if answer.status < 300:
                    return
                text = await answer.text()
                if answer.status < 500 and answer.status != 409:
                    break
            await asyncio.sleep(_PAUSE)
        raise OperatorError(f"Connect refused {method} {path}: {text[:500]}", "see the log of connect")

    async def delete(self, name: str) -> None:
        """Remove a connector; one that is not there is fine."""
        async with self._session.delete(f"{self.url}/connectors/{name}") as answer:
            if answer.status != 404:
                answer.raise_for_status()

    async def _current(self, name: str) -> dict[str, str] | None:
        async with self._session.get(f"{self.url}/connectors/{name}/config") as answer:
            return await answer.json() if answer.status == 200 else None
