"""Real purchases: the CDNOW sample that the PyPI package `lifetimes` carries (Fader and Hardie's 1/10 sample, 1997-01 to 1998-06)."""

import importlib.metadata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class Purchase:
    """A row of the file: who bought how many compact discs for how much, in cents. `row` counts from 1."""

    row: int
    customer: int
    day: date
    quantity: int
    cents: int


def purchases(limit: int | None) -> list[Purchase]:
    """The first `limit` rows in file order; all when None. Raises FileNotFoundError that says how to get the file."""
    rows = _file().read_text().splitlines()
    return [_read(number, line) for number, line in enumerate(rows[:limit], 1)]


def _read(number: int, line: str) -> Purchase:
    _, customer, day, quantity, dollars = line.split()  # the id in the full data set comes first
    return Purchase(number, int(customer), date.fromisoformat(day), int(quantity), int(Decimal(dollars) * 100))


def _file() -> Path:
    try:
        files = importlib.metadata.files("lifetimes") or []
    except importlib.metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            "the package `lifetimes`, which carries the purchases, is not installed: run `make install`"
        ) from error
    for file in files:
        if file.name == "CDNOW_sample.txt":
            return Path(str(file.locate()))
    raise FileNotFoundError("the package `lifetimes` is installed without CDNOW_sample.txt")
