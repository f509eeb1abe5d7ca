"""A team's month, made from a seed as a log of requests; and what a forecast says of it, computed from that log alone.

It imports nothing of the product.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 10, 12, 6, 0, tzinfo=UTC)
OPEN = ("PROSPECT", "QUALIFY", "PROPOSE", "NEGOTIATE")
LIKELY = {"PROSPECT": "0.1", "QUALIFY": "0.25", "PROPOSE": "0.5", "NEGOTIATE": "0.75", "WON": "1", "LOST": "0"}
RAISED = {**LIKELY, "QUALIFY": "0.333333", "PROPOSE": "0.61"}
CURRENCIES = ("EUR", "JPY")
CATEGORIES = ("omitted", "pipeline", "best", "committed")


@dataclass
class Request:
    """What was asked at a moment: `of` numbers the opportunity, from 0 in the order in which they were made."""

    at: datetime
    action: str
    of: int = -1
    said: dict[str, Any] = field(default_factory=dict)


def month(seed: int, people: int, length: int = 160) -> Iterator[Request]:
    """Requests in the order of time, mistakes among them: what is closed is moved, what is gone is won."""
    chance = random.Random(seed)
    at, made = FIRST, 0
    for number in range(length):
        at += timedelta(minutes=chance.randrange(30, 500), microseconds=chance.randrange(10**6))
        if number == length // 2:
            yield Request(at, "raise")
        elif made < 8 or chance.random() < 0.25:
            said = {**_said(chance), "owner": chance.randrange(people), "stage": chance.choice(OPEN)}
            yield Request(at, "create", made, said)
            made += 1
        else:
            of = chance.randrange(made)
            action = chance.choices(
                ["move", "replace", "assign", "win", "lose", "reopen", "delete"], [30, 20, 10, 14, 8, 8, 3]
            )[0]
            choices: dict[str, Callable[[], dict[str, Any]]] = {
                "move": lambda: {"stage": chance.choice(OPEN)},
                "replace": lambda: _said(chance),
                "assign": lambda: {"owner": chance.randrange(people)},
                "win": lambda: {"amount": chance.choice([None, chance.randrange(1, 10**6)])},
                "reopen": lambda: {"stage": chance.choice(OPEN)},
            }
            said = choices[action]() if action in choices else {}
            yield Request(at, action, of, said)


def _said(chance: random.Random) -> dict[str, Any]:
    return {
        "amount": chance.randrange(1, 10**6),
        "currency": chance.choice(CURRENCIES),
        "expected_close_on": str(date(2026, 10, 1) + timedelta(days=chance.randrange(100))),
        "category": chance.choice(CATEGORIES),
        "probability": chance.choice([None, None, "0.05", "0.5", "0.123457"]),
    }


@dataclass
class Ledger:
    """What follows from the requests that were accepted."""

    zone: ZoneInfo = ZONE
    states: list[list[tuple[datetime, dict[str, Any]]]] = field(default_factory=list)
    raised_at: datetime | None = None

    def add(self, of: int, at: datetime, **said: Any) -> None:
        """Something is different from a moment on."""
        if of == len(self.states):
            self.states.append([(at, said)])
        else:
            self.states[of].append((at, {**self.now(of), **said}))

    def now(self, of: int) -> dict[str, Any]:
        return self.states[of][-1][1]

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def note(self, request: Request) -> None:
        if request.action == "raise":
            self.raised_at = request.at
            return
        if request.action == "create":
            self.add(request.of, request.at, **request.said, status="open", closed_on=None)
            return
        said = {name: value for name, value in request.said.items() if value is not None or name == "probability"}
        today = str(self.day(request.at))
        more: dict[str, dict[str, Any]] = {
            "win": {"status": "won", "stage": "WON", "closed_on": today},
            "lose": {"status": "lost", "stage": "LOST", "closed_on": today},
            "reopen": {"status": "open", "closed_on": None},
            "delete": {"status": "deleted"},
        }
        self.add(request.of, request.at, **said, **more.get(request.action, {}))

    def forecast(self, begins_on: date, ends_on: date, as_of: datetime) -> dict[tuple[int | None, str], dict[str, int]]:
        """By owner and currency."""
        raised = self.raised_at is not None and self.raised_at <= as_of
        likely = RAISED if raised else LIKELY
        rows: dict[tuple[int | None, str], dict[str, int]] = {}
        exact: defaultdict[tuple[int | None, str], Decimal] = defaultdict(Decimal)
        for states in self.states:
            now = next((state for at, state in reversed(states) if at <= as_of), None)
            if now is None:
                continue
            is_open = now["status"] == "open" and now["category"] != "omitted"
            if not (is_open or now["status"] == "won"):
                continue
            day = date.fromisoformat(now["closed_on"] or now["expected_close_on"])
            if not begins_on <= day <= ends_on:
                continue
            nothing = dict.fromkeys(("opportunities", "closed", "committed", "best", "pipeline", "weighted"), 0)
            row = rows.setdefault((now["owner"], now["currency"]), nothing)
            row["opportunities"] += 1
            if not is_open:
                row["closed"] += now["amount"]
                continue
            row["pipeline"] += now["amount"]
            row["best"] += now["amount"] if now["category"] in ("best", "committed") else 0
            row["committed"] += now["amount"] if now["category"] == "committed" else 0
            share = Decimal(now["probability"] or likely[now["stage"]])
            exact[now["owner"], now["currency"]] += now["amount"] * share
        for which, amount in exact.items():
            rows[which]["weighted"] = int(amount.quantize(Decimal(1), ROUND_HALF_UP))
        return rows

    def stays(self, of: int, until: datetime) -> list[tuple[str, int]]:
        """Each stage that one was in, and for how many of the company's days."""
        stays: list[tuple[str, datetime]] = []
        for at, state in self.states[of]:
            if not stays or stays[-1][0] != state["stage"]:
                stays.append((state["stage"], at))
        ends = [at for _, at in stays[1:]] + [until]
        return [(stage, (self.day(end) - self.day(at)).days) for (stage, at), end in zip(stays, ends, strict=True)]


def end_of(day: date, zone: ZoneInfo = ZONE) -> datetime:
    """The last microsecond of a day in the company's zone."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)
