"""`tailrace backup …` and `tailrace restore`: what they take on the command line; `backup` does it."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from tailrace.cli.console import explained

backup = typer.Typer()

Into = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--into", help="The folder of backups, best on another disk; $TAILRACE_BACKUPS or the last one when left out."
    ),
]


@backup.callback(invoke_without_command=True)
@explained
def backup_take(
    context: typer.Context,
    into: Into = None,
    keep: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--keep", min=1, help="Delete all but the newest so many, from now on; 7 at first."),
    ] = None,
    every: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--every",
            min=0,
            max=120,
            help="Hours after which the running platform takes the next by itself, from now on; 24 at first, 0 for never.",
        ),
    ] = None,
) -> None:
    """Take a backup while everything runs. From the first one on, a moment to go back to is made every half minute, and a backup each day."""
    if context.invoked_subcommand is None:
        from tailrace.cli.recovery.backup import take_backup

        take_backup(into, keep, every)


@backup.command("list")
@explained
def backup_list(
    into: Into = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Every whole backup: when, how large, and from when to when it can be restored."""
    from tailrace.cli.recovery.backup import list_backups

    list_backups(into, as_json=as_json)


@backup.command("verify")
@explained
def backup_verify(
    name: Annotated[Optional[str], typer.Argument(help="One of them; all when left out.")] = None,  # noqa: UP045
    into: Into = None,
) -> None:
    """Read every byte of a backup, and of the log behind it, and compare it with what was written. Ends with code 1 when something differs."""
    from tailrace.cli.recovery.backup import verify_backups

    raise typer.Exit(0 if verify_backups(name, into) else 1)


@backup.command("stop")
@explained
def backup_stop() -> None:
    """Make no more moments to go back to. The backups that there are stay; the next backup begins again."""
    from tailrace.cli.recovery.backup import stop_backups

    stop_backups()


@explained
def restore(
    source: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--from", help="The folder of backups; $TAILRACE_BACKUPS or the one beside the data when left out."
        ),
    ] = None,
    at: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--at", help="A time, as 2026-11-29T12:05:00Z, in UTC unless it says otherwise; or a backup's name."
        ),
    ] = None,
    latest: Annotated[bool, typer.Option("--latest", help="The newest moment of all.")] = False,
) -> None:
    """Make the data folder from a backup, as of a moment. It has to be empty; go on with `tailrace up`."""
    from tailrace.cli.recovery.backup import restore_backup

    if (at is None) != latest:
        raise typer.BadParameter("say to when: --at a time, or --latest")
    restore_backup(source, at)
