"""`tailrace import`: a file of rows through the gateway, as anybody with a log-in could send it, and what became of each row."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from fastapi.routing import APIRoute
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tailrace.cli.console import err, out
from tailrace.cli.running import enter_environment
from tailrace.core.ids import uuid7
from tailrace.core.operator_error import OperatorError
from tailrace.http import outgoing
from tailrace.runtime.fleet import load_services
from tailrace.transfer.routes import CSV, XLSX

_PAUSE = 0.5
_ANSWER = 90.0


def import_file(
    what: str, path: Path, log_in: Mapping[str, str], *, gateway: str | None, encoding: str | None, dry_run: bool
) -> bool:
    """Whether every row was taken. Raises OperatorError for what is no importable, no file, no log-in, or cannot be read."""
    addresses = importables()
    if what not in addresses:
        raise OperatorError(f"{what} cannot be imported", f"what can: {', '.join(sorted(addresses))}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}", "name a CSV or XLSX file") from None
    base = gateway or enter_environment().gateway_url
    query = {"dry_run": str(dry_run).lower(), **({"encoding": encoding} if encoding else {})}
    kind = XLSX if path.suffix.lower() == ".xlsx" else CSV
    try:
        job, refused = asyncio.run(_import(base, addresses[what], content, kind, query, log_in))
    except outgoing.UNREACHED as error:
        raise OperatorError(f"{base} does not answer: {error!r}", "see: tailrace status") from None
    return _show(job, refused, path.with_name(f"{path.stem}-refused.csv"))


def importables() -> dict[str, str]:
    """The path to send a file to, by what is in it."""
    found = {}
    for service in load_services():
        wanted = {f"import_{each.name.replace('-', '_')}": each.name for each in service.imports}
        for route in (route for router in service.routers for route in router.routes if isinstance(route, APIRoute)):
            if route.name in wanted:
                found[wanted[route.name]] = route.path
    return found


async def _import(
    base: str, path: str, content: bytes, kind: str, query: Mapping[str, str], log_in: Mapping[str, str]
) -> tuple[dict[str, Any], bytes | None]:
    """The job as it ended, and the file of refused rows."""
    async with outgoing.client(base, within=_ANSWER) as client:
        client.headers["Authorization"] = f"Bearer {await token_of(client, log_in)}"
        headers = {"Content-Type": kind, "Idempotency-Key": str(uuid7())}
        answer = await client.post(path, content=content, params=dict(query), headers=headers)
        if answer.status_code != 202:
            raise OperatorError(
                f"the file was refused: {said(answer)}", "nothing was changed; mend it and send it again"
            )
        at = answer.headers["location"]
        job = await _follow(client, at, answer.json())
        refused = await client.get(f"{at}/refused") if job["counts"].get("refused") else None
        return job, refused.content if refused is not None else None


def _show(job: dict[str, Any], refused: bytes | None, kept: Path) -> bool:
    counts = job["counts"]
    out.print(f"{job['state']}: " + (", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "no row"))
    for message in job["messages"]:
        err.print(message)
    if refused is not None:
        kept.write_bytes(refused)
        err.print(f"The rows that were refused, with the reasons, are in {kept}.")
    return job["state"] == "succeeded" and refused is None


async def token_of(client: httpx2.AsyncClient, log_in: Mapping[str, str]) -> str:
    answer = await client.post("/v1/auth/login", json=dict(log_in))
    if answer.status_code != 200:
        raise OperatorError(f"the log-in was refused: {said(answer)}", "see --tenant, --email and TAILRACE_PASSWORD")
    return str(answer.json()["access_token"])


async def _follow(client: httpx2.AsyncClient, at: str, job: dict[str, Any]) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=not err.is_terminal) as progress:
        task = progress.add_task("rows", total=job["total"])
        while job["ended_at"] is None:
            await asyncio.sleep(_PAUSE)
            answer = await client.get(at)
            if answer.status_code == 200:
                job = answer.json()
            elif answer.status_code not in {429, 502, 503, 504}:
                raise OperatorError(f"the job cannot be read: {said(answer)}", f"it goes on; see {at}")
            progress.update(task, completed=job["done"], total=job["total"])
    return job


def said(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except ValueError:
        return f"{answer.status_code} {answer.text[:200]}"


def password_from_environment() -> str:
    """Raises OperatorError. On the command line everybody on the machine would see it."""
    if password := os.environ.get("TAILRACE_PASSWORD"):
        return password
    raise OperatorError("there is no password", "set TAILRACE_PASSWORD")
