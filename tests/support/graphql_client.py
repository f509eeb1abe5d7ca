"""GraphQL as a client of the gateway sends it: an operation and its outcome, or a subscription and its messages."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from tailrace_testing.gateway import Member, eventually

WITHIN = 120


async def graphql(member: Member, query: str, **variables: Any) -> Any:
    """The whole answer. Raises AssertionError when it is no answer of GraphQL."""
    answer = await member.send("POST", "/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def data(member: Member, query: str, **variables: Any) -> Any:
    """What is shown, as soon as nothing is refused that may pass. Raises AssertionError for any other error."""

    async def ask() -> Any:
        return await graphql(member, query, **variables)

    said = await eventually(ask, lambda said: not _passes(said), what="an answer of every service")
    assert "errors" not in said, said["errors"]
    return said["data"]


def _passes(said: Any) -> bool:
    """Whether it is the machine that is late, or one service that has not heard of another's yet."""
    refusals = [each["extensions"]["problem"] for each in said.get("errors", ())]
    return any(one["status"] in (502, 503, 504) or one["type"].endswith(":not-yet-known") for one in refusals)


def problem(said: Any) -> dict[str, Any]:
    """Of the first error."""
    found: dict[str, Any] = said["errors"][0]["extensions"]["problem"]
    return found


async def messages(member: Member, query: str, **variables: Any) -> AsyncGenerator[Any, None]:
    """The results of a subscription; ends as the stream does, behind `complete`."""
    headers = {"Authorization": f"Bearer {member.token}", "Accept": "text/event-stream"}
    body = {"query": query, "variables": variables}
    async with member.client.stream("POST", "/graphql", json=body, headers=headers, timeout=WITHIN) as answer:
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        event = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif event == "next" and line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
        assert event == "complete"
