"""`tailrace restored …`: what it takes on the command line; `restored` does it."""

from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.console import explained

restored = typer.Typer(no_args_is_help=True, help="Databases that were put back behind what Kafka holds of them.")


@restored.command("show")
@explained
def restored_show(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Which services take no changes since their database was restored, and why. Ends with code 1 unless there are none."""
    from tailrace.cli.recovery.restored import show_restored

    raise typer.Exit(0 if show_restored(as_json=as_json) else 1)


@restored.command("lost")
@explained
def restored_lost(
    service: str,
    into: Annotated[Path | None, typer.Option(help="Write all of it, contents included, to this file.")] = None,
) -> None:
    """What readers have seen of a service and its database does not hold."""
    from tailrace.cli.recovery.restored import show_lost

    show_lost(service, into)


@restored.command("accept")
@explained
def restored_accept(
    because: Annotated[str, typer.Option(help="Why; it is kept in the database.")],
    services: Annotated[list[str] | None, typer.Argument(help="All that are undecided when none is named.")] = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Connectors as in deploy/kafka-connect, looked up by the Connect worker.")
    ] = False,
) -> None:
    """Go on with databases as they are: a new epoch begins, what nobody has heard is published, and readers go through history again."""
    from tailrace.cli.recovery.restored import accept

    accept(services or [], because, deployed=deployed)
