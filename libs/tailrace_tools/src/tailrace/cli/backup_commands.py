"""`tailrace backup`, `restore` and `drill`: what they take on the command line; `backup` does it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.console import explained

Folder = Annotated[Path | None, typer.Option("--folder", help="Of the backups; TAILRACE_BACKUPS when left out.")]


def add_to(app: typer.Typer) -> None:
    """The three commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("drill")(drill)


@explained
def backup(
    folder: Folder = None,
    keep: Annotated[int, typer.Option(min=1, help="Base backups to keep, this one included.")] = 7,
    show: Annotated[bool, typer.Option("--list", help="Only list those that there are.")] = False,
) -> None:
    """Copy databases, topics, files and secrets of the embedded stack while it runs."""
    from tailrace.cli.backup import list_backups, take_backup

    if show:
        list_backups(folder)
    else:
        take_backup(folder, keep)


@explained
def restore(
    folder: Folder = None,
    until: Annotated[datetime | None, typer.Option(help="A moment, in UTC; the end of the log when left out.")] = None,
) -> None:
    """Bring a stack back to one moment, in a data folder that is empty, and start it."""
    from tailrace.cli.backup import bring_back

    bring_back(folder, until)


@explained
def drill(folder: Folder = None) -> None:
    """Restore the backups beside what runs, say how much would be lost and how long it takes, and throw that away. Ends with 1 unless it is whole."""
    from tailrace.cli.backup import rehearse

    raise typer.Exit(0 if rehearse(folder) else 1)
