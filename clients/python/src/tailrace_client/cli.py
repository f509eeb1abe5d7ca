"""`tailrace-client`: ask the platform from a shell. Ends with 0, with 1 for a refusal, with 2 for a wrong command, with 3 for no answer."""

import csv
import io
import json
import os
import re
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from tailrace_client.clients import Client
from tailrace_client.contract import operations
from tailrace_client.flow import Tokens
from tailrace_client.problems import Problem

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Ask a Tailrace platform.")
Url = Annotated[str, typer.Option(envvar="TAILRACE_URL", help="Where the gateway is.")]
AT = "http://127.0.0.1:8000"
_FORMULA = re.compile("^(?='*\\s*[=+\\-@\t\r\n＝＋－＠])|(?<=[;|\t\r\n])(?=(?:['\"]|[^\\S\t\r\n])*[=+\\-@＝＋－＠])")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class Output(StrEnum):
    JSON = "json"
    CSV = "csv"


def _kept() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "tailrace" / "tokens.json"


def _keep(url: str, tokens: Tokens) -> None:
    """Only the owner may read the file, from its first byte on; it is whole or as it was."""
    file = _kept()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump({"url": url, **asdict(tokens)}, out)
    fresh.replace(file)


def _client(url: str) -> Client:
    tokens = None
    if _kept().exists():
        said = json.loads(_kept().read_text())
        # A token is shown to the gateway that gave it and to no other.
        if said.pop("url") == url:
            tokens = Tokens(**said)
    return Client(url, tokens=tokens, renewed=lambda fresh: _keep(url, fresh))


@app.command()
def login(tenant: str, email: str, url: Url = AT) -> None:
    """Log in. The password is asked for, or read from the standard input when that is no terminal."""
    password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with Client(url, renewed=lambda tokens: _keep(url, tokens)) as client:
        client.log_in(tenant, email, password)


@app.command("operations")
def show(part: Annotated[str, typer.Argument(help="Only those whose name holds this.")] = "") -> None:
    """List what can be asked, and the parameters that it takes."""
    for name, each in operations().items():
        if part in name:
            typer.echo(f"{name}  {each.method} {each.path}  {' '.join(each.query)}".rstrip())


def _complete(incomplete: str) -> list[str]:
    return [name for name in operations() if name.startswith(incomplete)]


@app.command()
def call(
    operation: Annotated[str, typer.Argument(autocompletion=_complete, help="Such as orders.list.")],
    parameters: Annotated[list[str] | None, typer.Argument(help="Such as status=draft.")] = None,
    body: Annotated[typer.FileText | None, typer.Option(help="A file of JSON, or - for the standard input.")] = None,
    if_match: Annotated[str | None, typer.Option(help="The ETag of what is changed.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All pages of a list.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o")] = Output.JSON,
    url: Url = AT,
) -> None:
    """Call an operation and print what it answers."""
    if operation not in operations():
        raise typer.BadParameter(f"there is no {operation}; see `tailrace-client operations`")
    said = _parameters(parameters or [])
    with _client(url) as client:
        try:
            if every:
                answer: Any = _every(client, operation, said)
            else:
                answer = client.call(operation, body=json.load(body) if body else None, if_match=if_match, **said)
        except (TypeError, json.JSONDecodeError) as wrong:
            raise typer.BadParameter(str(wrong)) from wrong
    _print(answer, output)


def _parameters(said: list[str]) -> dict[str, Any]:
    """A name that comes twice has both values."""
    found: dict[str, list[str]] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each} is not name=value")
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _every(client: Client, operation: str, said: dict[str, Any]) -> Any:
    """All pages as one. What stands beside the items is the first page's: none of the others is older than its stamp says."""
    asked = {"limit": 200, **said}
    whole = page = client.call(operation, **asked)
    while page["next_cursor"] is not None:
        page = client.call(operation, **{**asked, "cursor": page["next_cursor"]})
        whole["items"] += page["items"]
    return {**whole, "next_cursor": None}


def _beside(answer: dict[str, Any]) -> None:
    """Say what no row can: that there are more, and how fresh they are. Not on the standard output, which is rows alone."""
    if answer.get("next_cursor"):
        typer.echo("There are more: --all lists them.", err=True)
    if fresh := answer.get("freshness"):
        until = fresh["complete_until"] or "a moment that cannot be told"
        typer.echo(f"Complete until {until}. Events set aside: {fresh['set_aside']}.", err=True)


def _shown(value: Any) -> Any:
    """A value as a cell of CSV: text that a spreadsheet would calculate gets an apostrophe, as in the exports of the platform."""
    return _FORMULA.sub("'", value) if isinstance(value, str) and not _NUMBER.fullmatch(value) else value


def _print(answer: Any, output: Output) -> None:
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    elif output is Output.CSV and answer is not None:
        rows = answer.get("items", [answer])
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {
                name: _shown(json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value)
                for name, value in row.items()
            }
            for row in rows
        )
        typer.echo(out.getvalue(), nl=False)
        _beside(answer)
    elif answer is not None:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def main() -> None:
    """The command, with refusals told and no traceback."""
    try:
        app()
    except Problem as refused:
        typer.echo(f"{refused.status} {refused.title} ({refused.slug})\n{refused.detail}", err=True)
        for each in refused.errors:
            typer.echo(f"  {each.field}: {each.detail}", err=True)
        typer.echo(f"  request {refused.request_id}", err=True)
        sys.exit(1)
    except httpx2.TransportError as lost:
        typer.echo(f"No answer: {lost}", err=True)
        sys.exit(3)
