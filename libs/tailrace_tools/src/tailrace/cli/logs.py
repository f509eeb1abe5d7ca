"""`tailrace logs`: the last lines of one log or of all, and what is added to them."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tailrace.cli.console import out
from tailrace.core.operator_error import OperatorError
from tailrace.stack.layout import Layout

BLOCK = 64 * 1024


def show_logs(name: str | None, *, follow: bool, lines: int) -> None:
    """Raises `OperatorError` when there is no such log."""
    layout = Layout.from_environment()
    files = {path.stem: path for path in sorted(layout.logs.glob("*.log")) if not path.stem.endswith(".old")}
    if name is not None:
        if name not in files:
            raise OperatorError(f"there is no log of {name}", f"there are: {', '.join(files) or 'none yet'}")
        files = {name: files[name]}
    opened: list[tuple[str, BinaryIO]] = [(stem, path.open("rb")) for stem, path in files.items()]
    labelled = len(opened) > 1
    for stem, file in opened:
        _print(stem, _last(file, lines), labelled)
    while follow:
        for stem, file in opened:
            _print(stem, file.read().decode(errors="replace").splitlines(), labelled)
        opened = [(stem, _reopened(files[stem], file)) for stem, file in opened]
        time.sleep(0.3)


def _last(file: BinaryIO, lines: int) -> list[str]:
    """The last lines, leaving the file at its end."""
    size = file.seek(0, 2)
    file.seek(max(0, size - max(BLOCK, lines * 400)))
    return file.read().decode(errors="replace").splitlines()[-lines:] if lines else []


def _reopened(path: Path, file: BinaryIO) -> BinaryIO:
    """The file under this name now; logs are replaced when they have grown."""
    try:
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
    except FileNotFoundError:
        return file
    file.close()
    return path.open("rb")


def _print(stem: str, lines: Iterable[str], labelled: bool) -> None:
    for line in lines:
        out.out(f"{stem:<12} {line}" if labelled else line, highlight=False)
