"""Numbers and element strings of the GS1 General Specifications: check digits (7.9), the SSCC (2.2.1), and what a label's bar codes say (3, 7.8)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

SERIAL_AND_PREFIX = 16
"""Digits of an SSCC that the company prefix and the serial reference share."""
MOST_COUNT = 10**8 - 1
_SET_82 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


class Element(NamedTuple):
    """An application identifier and what stands behind it."""

    ai: str
    value: str

    @property
    def ends_itself(self) -> bool:
        """Whether its length is known by its identifier, so that nothing needs to part it from the next (7.8.5)."""
        return self.ai in {"00", "01", "02", "11", "13", "15", "17"}


def check_digit(digits: str) -> str:
    """What makes the sum, weighted by 3 and 1 from the right, a multiple of ten."""
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    return digits.isascii() and digits.isdigit() and len(digits) > 1 and check_digit(digits[:-1]) == digits[-1]


def sscc(extension: int, prefix: str, serial: int) -> str:
    """The eighteen digits of a parcel. Raises ValueError when the serial has more digits than the prefix leaves."""
    room = SERIAL_AND_PREFIX - len(prefix)
    if not 0 <= serial < 10**room:
        raise ValueError(f"a serial behind {prefix} has at most {room} digits")
    digits = f"{extension}{prefix}{serial:0{room}d}"
    return digits + check_digit(digits)


def is_lot(text: str) -> bool:
    """Whether a batch or lot number can be written in a bar code: 1 to 20 characters of the set 82 (7.11)."""
    return 1 <= len(text) <= 20 and _SET_82.issuperset(text)


def contents(gtin: str | None, count: int | None, lot: str | None, expires_on: date | None) -> Sequence[Element]:
    """What is in a parcel of one kind of goods; without GTIN and count nothing, since the others say something of these (4.13)."""
    if gtin is None or count is None or not 1 <= count <= MOST_COUNT:
        return ()
    found = [Element("02", gtin.zfill(14))]
    if expires_on is not None:
        found.append(Element("17", expires_on.strftime("%y%m%d")))
    found.append(Element("37", str(count)))
    if lot is not None:
        found.append(Element("10", lot))
    return found


def readable(elements: Sequence[Element]) -> str:
    """As people read it below the bars."""
    return "".join(f"({ai}){value}" for ai, value in elements)
