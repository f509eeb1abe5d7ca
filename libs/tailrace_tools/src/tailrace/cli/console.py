"""The screen: one console for all commands, and failures shown as what happened and what to do."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from tailrace.core.operator_error import OperatorError

P = ParamSpec("P")
R = TypeVar("R")

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)

COLOURS = {
    "ready": "green",
    "RUNNING": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "stopping": "yellow",
    "failed": "red",
    "FAILED": "red",
    "MISSING": "red",
}
MARKS = {"ready": "✓", "failed": "✗", "stopped": "·", "waiting": "·"}


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """Show a `OperatorError` instead of a traceback, and end with code 1; Ctrl-C ends quietly."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except OperatorError as error:
            say_failure(error.what, error.remedy)
            raise typer.Exit(1) from None
        except PermissionError as error:
            say_failure(
                f"{error.filename} belongs to another user", "run as its owner, or set TAILRACE_DATA to another folder"
            )
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            sys.exit(130)

    return wrapper


def say_failure(what: str, remedy: str) -> None:
    err.print(Text("✗ ", "bold red") + Text(what, "bold"))
    if remedy:
        err.print(Text(f"  → {remedy}"))


def coloured(word: str) -> Text:
    return Text(word, COLOURS.get(word, "dim"))


def mark(phase: str) -> Text:
    return Text(MARKS.get(phase, "…"), COLOURS.get(phase, "dim"))
