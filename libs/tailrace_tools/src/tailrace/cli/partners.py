"""`tailrace partner`: systems outside that hear of one company's events, through the gateway, by the log-in of somebody of that company."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any

import typer

from tailrace.cli.console import explained, out

commands = typer.Typer(
    no_args_is_help=True, help="Systems outside that hear of a company's events, on topics of their own."
)

_PAUSE, _WITHIN = 0.3, 60.0
_Tenant = Annotated[str, typer.Option("--tenant", help="The company's slug.")]
_Email = Annotated[str, typer.Option("--email", help="Who asks; the password is in TAILRACE_PASSWORD.")]
_Gateway = Annotated[str | None, typer.Option("--gateway", help="Its address; the stack's own if left out.")]
_Id = Annotated[str, typer.Argument(help="Of the partner, as in: tailrace partner list.")]
_Types = Annotated[list[str], typer.Argument(help="Types of events that it hears of: order.confirmed …")]
_Personal = Annotated[str, typer.Option("--personal", help="Of personal fields: omitted, masked or plain.")]


@commands.command("add")
@explained
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    types: _Types,
    tenant: _Tenant,
    email: _Email,
    personal: _Personal = "omitted",
    since: Annotated[str | None, typer.Option("--since", help="From this moment on, in RFC 3339.")] = None,
    gateway: _Gateway = None,
) -> None:
    """Make a partner, wait until its user and topics are there, and print what it logs in to Kafka with, as JSON."""
    body = {"name": name, "types": types, "personal": personal, **({"since": since} if since else {})}

    async def work(ask: "Ask") -> Any:
        return await _opened(ask, (await ask("POST", _at(), body))["id"])

    _print(_run(work, tenant, email, gateway))


@commands.command("grant")
@explained
def grant(
    partner: _Id,
    types: _Types,
    tenant: _Tenant,
    email: _Email,
    personal: _Personal = "omitted",
    gateway: _Gateway = None,
) -> None:
    """Let a partner hear of these events from now on, instead of those before."""

    async def work(ask: "Ask") -> Any:
        await ask("PUT", f"{_at()}/{partner}/grant", {"types": types, "personal": personal})
        return await _reached(ask, partner, "open")

    _print(_run(work, tenant, email, gateway))


@commands.command("rotate")
@explained
def rotate(partner: _Id, tenant: _Tenant, email: _Email, gateway: _Gateway = None) -> None:
    """Give a partner another password, and print it as JSON. The one before is good no more."""

    async def work(ask: "Ask") -> Any:
        await ask("POST", f"{_at()}/{partner}/rotate", None)
        return await _opened(ask, partner)

    _print(_run(work, tenant, email, gateway))


@commands.command("revoke")
@explained
def revoke(partner: _Id, tenant: _Tenant, email: _Email, gateway: _Gateway = None) -> None:
    """Take a partner's user, rights and topics away, and wait until they are gone."""

    async def work(ask: "Ask") -> Any:
        await ask("POST", f"{_at()}/{partner}/revoke", None)
        return await _reached(ask, partner, "closed")

    _print(_run(work, tenant, email, gateway))


@commands.command("list")
@explained
def list_(tenant: _Tenant, email: _Email, gateway: _Gateway = None) -> None:
    """Show the company's partners: id, name, state, what becomes of personal fields, and the types of events."""

    async def work(ask: "Ask") -> Any:
        found: list[Any] = []
        cursor = ""
        while True:
            page = await ask("GET", f"{_at()}?limit=200{cursor}", None)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    found = _run(work, tenant, email, gateway)
    for each in found:
        words = (each["id"], each["name"], each["status"], each["personal"], ", ".join(each["types"]))
        out.print("  ".join(words), highlight=False, soft_wrap=True)
    if not found:
        out.print("No partner.")


@cache
def _at() -> str:
    """Where the service that gives access answers, by its manifest. Raises `OperatorError` where none is installed."""
    from tailrace.core.operator_error import OperatorError
    from tailrace.runtime.fleet import load_services

    for service in load_services():
        if service.gives_access:
            return service.exposes[0].prefix
    raise OperatorError("no service that gives access is installed", "install it, or use another environment")


Ask = Callable[[str, str, Any], Awaitable[Any]]
"""Method, path and body to the answer's JSON. Raises `OperatorError` for a refusal."""


async def _opened(ask: Ask, partner: str) -> Any:
    """What it logs in with, and where it reads."""
    now = await _reached(ask, partner, "open")
    return {**await ask("GET", f"{_at()}/{partner}/credentials", None), "id": now["id"], "topics": now["topics"]}


async def _reached(ask: Ask, partner: str, status: str) -> Any:
    from tailrace.core.operator_error import OperatorError

    clock = asyncio.get_running_loop().time
    deadline = clock() + _WITHIN
    while (now := await ask("GET", f"{_at()}/{partner}", None))["status"] != status:
        if clock() > deadline:
            raise OperatorError(
                f"partner {partner} is still {now['status']}", "Kafka may be away: it goes on by itself when it is back"
            )
        await asyncio.sleep(_PAUSE)
    return now


def _run(work: Callable[[Ask], Awaitable[Any]], tenant: str, email: str, gateway: str | None) -> Any:
    """What `work` makes of somebody's access. Raises `OperatorError`."""
    from tailrace.cli.running import enter_environment
    from tailrace.cli.transfer import password_from_environment, said, token_of
    from tailrace.core.ids import uuid7
    from tailrace.core.operator_error import OperatorError
    from tailrace.http import outgoing

    who = {"tenant": tenant, "email": email, "password": password_from_environment()}
    base = gateway or enter_environment().gateway_url

    async def all_of_it() -> Any:
        async with outgoing.client(base, within=_WITHIN) as client:
            client.headers["Authorization"] = f"Bearer {await token_of(client, who)}"

            async def ask(method: str, path: str, body: Any) -> Any:
                key = {} if method == "GET" else {"Idempotency-Key": str(uuid7())}
                answer = await client.request(method, path, headers=key, **({} if body is None else {"json": body}))
                if not answer.is_success:
                    raise OperatorError(f"it was refused: {said(answer)}", "see: tailrace partner list")
                return answer.json()

            return await work(ask)

    try:
        return asyncio.run(all_of_it())
    except outgoing.UNREACHED as error:
        raise OperatorError(f"{base} does not answer: {error!r}", "see: tailrace status") from None


def _print(said: Any) -> None:
    print(json.dumps(said, ensure_ascii=False))
