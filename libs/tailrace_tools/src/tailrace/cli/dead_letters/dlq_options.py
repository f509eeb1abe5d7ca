"""The options that say which dead letters are meant, once for every command that takes them."""

import functools
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from typing import Annotated, Any
from uuid import UUID

import typer

_OPTIONS: Mapping[str, Any] = {
    "service": Annotated[str | None, typer.Option("--service", help="Of this service alone.")],
    "subscriber": Annotated[str | None, typer.Option("--subscriber", help="For this subscriber alone.")],
    "aggregate": Annotated[UUID | None, typer.Option("--aggregate", help="Of this aggregate alone.")],
    "tenant": Annotated[UUID | None, typer.Option("--tenant", help="Of this tenant alone.")],
    "type": Annotated[str | None, typer.Option("--type", help="Events of this type alone.")],
    "kind": Annotated[
        str | None, typer.Option("--kind", help="gap, not_yet, failed, malformed, unknown_version or behind.")
    ],
    "error": Annotated[str | None, typer.Option("--error", help="Whose reason holds these words.")],
    "topic": Annotated[str | None, typer.Option("--topic", help="Records of this topic alone.")],
    "partition": Annotated[int | None, typer.Option("--partition", min=0, help="Records of this partition alone.")],
    "before": Annotated[str | None, typer.Option("--before", help="Before 30m, 2h or 1d ago, or a time in ISO 8601.")],
    "since": Annotated[str | None, typer.Option("--since", help="Since 30m, 2h or 1d ago, or a time in ISO 8601.")],
}


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose first argument is a `Filter`; on the command line it has an option for each field of that."""
    _, *own = signature(command, eval_str=False).parameters.values()
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        from tailrace.cli.dead_letters.dead_letter_rows import Filter, read_since

        meant = {name: given.pop(name) for name in _OPTIONS}
        times = {name: read_since(meant[name]) for name in ("since", "before")}
        return command(Filter(**{**meant, **times}), **given)

    # Typer reads both.
    shown = [*options, *(each.replace(kind=Parameter.KEYWORD_ONLY) for each in own)]
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run
