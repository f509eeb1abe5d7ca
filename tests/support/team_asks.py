"""What a sales team asks in a month, made from a seed; `team_month` says what follows.

Mistakes are among it: what is closed is moved, what is gone is written to, who left is given work, and some of it is sent twice.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from selling_month import CATEGORIES, CURRENCIES, OPEN

PEOPLE = 3
LEAVER, SUCCESSOR = 1, 0
_SHARES = {
    "lead": 5,
    "qualify_lead": 3,
    "lose_lead": 1,
    "assign_lead": 3,
    "convert": 7,
    "open": 6,
    "move": 12,
    "replace": 6,
    "assign": 5,
    "win": 8,
    "lose": 4,
    "reopen": 4,
    "delete": 2,
    "quote": 8,
    "submit": 7,
    "send": 7,
    "accept": 7,
    "task": 6,
    "finish": 5,
    "meet": 4,
    "hold": 3,
    "merge": 4,
    "unmerge": 4,
    "drop_customer": 2,
    "restore_customer": 2,
}


ABOUT = {
    **dict.fromkeys(("qualify_lead", "lose_lead", "assign_lead", "convert"), "lead"),
    **dict.fromkeys(("move", "replace", "assign", "win", "lose", "reopen", "delete", "quote"), "opportunity"),
    **dict.fromkeys(("submit", "send", "accept"), "quote"),
    **dict.fromkeys(("merge", "unmerge", "drop_customer", "restore_customer"), "customer"),
    "finish": "task",
    "hold": "meeting",
}
"""What is asked of something that is there, and what kind of thing that is."""


@dataclass
class Step:
    """Somebody asks something: `of` numbers what it is about, in the order in which those were made, and `said` what else."""

    at: datetime
    action: str
    of: int = -1
    twice: bool = False
    said: dict[str, Any] = field(default_factory=dict)


def steps(seed: int, first: datetime, length: int) -> Iterator[Step]:
    """In the order of time. Numbers are taken round, by `Month.meant`, among what is there by then."""
    chance = random.Random(seed)
    pause = timedelta(days=30) / length
    at = first
    for number in range(length):
        at += pause * chance.uniform(0.2, 1.8) + timedelta(microseconds=chance.randrange(10**6))
        if number < 4:
            action = "customer"
        elif number < 7:
            action = "open"
        elif number in {length // 3, length // 2, length * 2 // 3}:
            action = {length // 3: "go", length // 2: "return"}.get(number, "leave")
            yield Step(at, action, LEAVER if action == "leave" else -1)
            continue
        else:
            action = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
        yield Step(at, action, chance.randrange(1000), chance.random() < 0.15, _said(chance, action, at))


def _said(chance: random.Random, action: str, at: datetime) -> dict[str, Any]:
    deal = {
        "amount": chance.randrange(1, 10**6),
        "currency": chance.choice(CURRENCIES),
        "expected_close_on": str((at + timedelta(days=chance.randrange(-10, 60))).date()),
        "category": chance.choice(CATEGORIES),
        "probability": chance.choice([None, None, "0.05", "0.5", "0.123457"]),
    }
    other = chance.randrange(1000)
    said: dict[str, dict[str, Any]] = {
        "convert": {"existing": other if chance.random() < 0.5 else None, "deal": deal},
        "open": {"customer": other, "owner": chance.randrange(PEOPLE), "stage": chance.choice(OPEN), **deal},
        "replace": deal,
        "move": {"stage": chance.choice(OPEN)},
        "assign": {"owner": chance.randrange(PEOPLE)},
        "assign_lead": {"owner": chance.randrange(PEOPLE)},
        "win": {"amount": chance.choice([None, chance.randrange(1, 10**6)])},
        "reopen": {"stage": chance.choice(OPEN)},
        "quote": {
            "price": chance.randrange(1, 10**5),
            "currency": chance.choice(CURRENCIES),
            "valid": chance.randrange(2, 20),
        },
        "task": {"customer": other},
        "finish": {"status": chance.choice(["done", "cancelled", "open"])},
        "meet": {"customer": other},
        "hold": {"status": chance.choice(["held", "cancelled", "planned"])},
        "merge": {"into": other},
    }
    return said.get(action, {})
