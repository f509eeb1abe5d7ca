"""Kafka Connect's REST interface: the few calls that preparing, watching and repairing connectors need."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx2

from tailrace.core.operator_error import OperatorError
from tailrace.http import outgoing

_TRIES, _PAUSE = 80, 0.25
"""How often, and after how many seconds, something is asked of Connect again."""
_WITHIN = 30.0
"""Seconds for one call."""


class Rest:
    """Connect's REST interface, for the length of a `with` block. What gets no answer raises one of `outgoing.UNREACHED`.

    An address as in `http://user:password@host:8083` logs in; what is raised, and `url`, name neither.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.rstrip("/"))
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self.url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    async def __aenter__(self) -> "Rest":
        self._client = outgoing.client(self.url, within=_WITHIN)
        if self._login is not None:
            self._client.auth = self._login
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def healthy(self) -> bool:
        """Whether the worker has joined its group and answers. Silent while the port is closed."""
        try:
            return (await self._ask("GET", "/health", within=3)).status_code == 200
        except outgoing.UNREACHED:
            return False

    async def put(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector, or change it when its settings differ. Raises `OperatorError` with Connect's own words."""
        if await self._current(name) == {**config, "name": name}:
            return
        for _ in range(40):
            answer = await self._ask("PUT", f"/connectors/{name}/config", dict(config))
            if answer.is_success:
                return
            if answer.status_code != 409:  # 409: a rebalance is under way
                raise OperatorError(
                    f"Connect refused the connector {name}: {answer.text[:500]}", "see the log of connect"
                )
            await asyncio.sleep(0.25)
        raise OperatorError(
            f"Connect kept rebalancing instead of taking the connector {name}", "see the log of connect"
        )

    async def statuses(self) -> dict[str, Any]:
        """`{name: {"connector": {"state": …}, "tasks": [{"id", "state", "trace"}]}}`."""
        found: dict[str, Any] = (await self._ask("GET", "/connectors?expand=status")).raise_for_status().json()
        return {name: entry["status"] for name, entry in found.items()}

    async def restart(self, name: str) -> None:
        """Restart what failed of a connector, its tasks included."""
        path = f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true"
        (await self._ask("POST", path, {})).raise_for_status()

    async def restart_all(self, name: str) -> None:
        """Restart a connector and its tasks, failed or not."""
        (await self._ask("POST", f"/connectors/{name}/restart?includeTasks=true", {})).raise_for_status()

    async def restart_task(self, name: str) -> None:
        """Restart a connector's one task, failed or not."""
        (await self._ask("POST", f"/connectors/{name}/tasks/0/restart", {})).raise_for_status()

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
        answer = await self._ask("GET", f"/connectors/{name}/offsets")
        if answer.status_code == 404:
            return None
        stored = answer.raise_for_status().json()["offsets"]
        offset = (stored[0]["offset"] if stored else None) or {}
        return max((int(offset[key]) for key in ("lsn", "lsn_proc", "lsn_commit") if offset.get(key)), default=None)

    async def _insist(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Ask until Connect, which may be rebalancing (409) or still stopping a task (5xx), agrees. Raises `OperatorError`."""
        text = ""
        for _ in range(_TRIES):
            answer = await self._ask(method, path, body or {})
            if answer.is_success:
                return
            text = answer.text
            if answer.status_code < 500 and answer.status_code != 409:
                break
            await asyncio.sleep(_PAUSE)
        raise OperatorError(f"Connect refused {method} {path}: {text[:500]}", "see the log of connect")

    async def delete(self, name: str) -> None:
        """Remove a connector; one that is not there is fine."""
        answer = await self._ask("DELETE", f"/connectors/{name}")
        if answer.status_code != 404:
            answer.raise_for_status()

    async def _current(self, name: str) -> dict[str, str] | None:
        """Its configuration; None when there is no such connector, which Connect does not say of one while it rebalances. Raises `OperatorError`."""
        for _ in range(_TRIES):
            answer = await self._ask("GET", f"/connectors/{name}/config")
            if answer.status_code in (200, 404):
                return answer.json() if answer.status_code == 200 else None
            await asyncio.sleep(_PAUSE)
        raise OperatorError(f"Connect does not tell of the connector {name}: {answer.text[:500]}", "see its log")

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, within: float = _WITHIN
    ) -> httpx2.Response:
        async with asyncio.timeout(within):
            return await self._client.request(method, path, json=body)
