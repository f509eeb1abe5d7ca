"""What posting rules are made of: moves between the accounts of roles, the rules that make them of events, and the book of all rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounting.roles import account_of
from contracts.accounting import AccountRole, JournalLine
from tailrace.core.events import Event
from tailrace.core.values.money import LARGEST_AMOUNT

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Move:
    """An amount in minor units to the account of a role, or to the one that the event names: a debit when it is above zero, a credit when below."""

    role: AccountRole | None
    currency: str
    amount: int
    account: str = ""


Moves = tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Posting:
    """What a rule makes of an event: a text, and moves that add up to zero in each currency. No moves, no journal."""

    text: str
    moves: Moves

    def lines(self, accounts: Mapping[AccountRole, str]) -> list[JournalLine]:
        """One line for each move, or several for one of more than a line holds. Raises RoleUnmapped."""
        return [
            JournalLine(
                account=account_of(move.role, accounts) if move.role else move.account,
                currency=move.currency,
                debit=max(amount, 0),
                credit=max(-amount, 0),
            )
            for move in self.moves
            for amount in in_parts(move.amount)
        ]


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a posting rule; `since` is the first moment of effect that it holds for."""

    name: str
    version: int
    event: type[Event]
    post: Callable[[Any], Posting]
    since: datetime = ALWAYS

    @property
    def label(self) -> str:
        """`name@version`, as journals carry it."""
        return f"{self.name}@{self.version}"


class Rulebook:
    """All rules, several versions side by side."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Raises ValueError when a label comes twice, or two rules of one event hold from the same moment."""
        self.rules: Sequence[Rule] = tuple(rules)
        labels = [rule.label for rule in self.rules]
        starts = [(rule.event, rule.since) for rule in self.rules]
        if len(set(labels)) != len(labels) or len(set(starts)) != len(starts):
            raise ValueError("two posting rules share a label, or an event and the moment they hold from")
        self._newest_first: Mapping[type[Event], Sequence[Rule]] = {
            event: sorted((r for r in self.rules if r.event is event), key=lambda r: r.since, reverse=True)
            for event in {rule.event for rule in self.rules}
        }

    def choose(self, event: Event, at: datetime) -> Rule | None:
        """The rule for an event that took effect at `at`; None when there was none yet."""
        return next((rule for rule in self._newest_first.get(type(event), ()) if rule.since <= at), None)


def entry(debit: AccountRole, credit: AccountRole, amount: int, currency: str) -> Moves:
    """`amount` from `credit` to `debit`; the other way round when it is below zero."""
    return (*side(debit, amount, currency), *side(credit, -amount, currency))


def side(role: AccountRole, amount: int, currency: str) -> Moves:
    """One move; none for zero."""
    return (Move(role, currency, amount),) if amount else ()


def in_parts(amount: int) -> list[int]:
    """The same, in as many parts as it takes where it is more than a line of a journal holds; none for zero."""
    sign = 1 if amount > 0 else -1
    whole, rest = divmod(abs(amount), LARGEST_AMOUNT)
    return [sign * part for part in [*[LARGEST_AMOUNT] * whole, rest] if part]


def said(title: str, reference: str | None) -> str:
    return f"{title} ({reference})" if reference else title
