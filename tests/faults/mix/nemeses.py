"""What is going to go wrong, from the seed alone: which fault comes after which, whom it meets, and with how much of everything."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INFRASTRUCTURE = ("fleet", "connect", "kafka", "postgres")
CYCLE = ("kill", "strike", "pause", "rewind", "forget", "poison", "republish", "redrive", "rebuild")
"""Each comes once before any comes again. kill: a service; strike: one of the parts that all services need."""
REBUILT = ("orders.catalog", "inventory.catalog")


@dataclass(frozen=True)
class Fault:
    """One fault. `amount` is seconds of a pause, records to rewind, republish or forge; `dice` seeds whatever else is chosen."""

    number: int
    kind: str
    victim: str
    amount: int
    gently: bool
    """A rewound consumer is told to stop, instead of being killed."""
    dice: str

    def __str__(self) -> str:
        return f"{self.kind} {self.victim}".strip()


def schedule(seed: int, count: int, services: Sequence[str], consumers: Sequence[str]) -> list[Fault]:
    """So many faults for a fleet of these services, of which `consumers` have a consumer group."""
    dice = random.Random(f"{seed}/faults")
    kinds = _shuffled_again(dice, CYCLE)
    victims = {
        "kill": services,
        "strike": INFRASTRUCTURE,
        "pause": [*services, "connect", "kafka", "postgres"],
        "rewind": consumers,
        "forget": consumers,
        "rebuild": REBUILT,
    }
    # Dice of their own, so that another service changes nothing about what else is struck.
    decks = {kind: _shuffled_again(random.Random(f"{seed}/{kind}"), names) for kind, names in victims.items()}
    return [_fault(dice, seed, number, next(kinds), decks) for number in range(count)]


def _fault(dice: random.Random, seed: int, number: int, kind: str, decks: dict[str, Iterator[str]]) -> Fault:
    victim = next(decks[kind]) if kind in decks else ""
    amount = {"pause": dice.randint(1, 14), "rewind": dice.choice([20, 200, 10**9]), "republish": dice.randint(20, 80)}
    return Fault(number, kind, victim, amount.get(kind, 0), dice.random() < 0.7, f"{seed}/fault/{number}")


def _shuffled_again(dice: random.Random, names: Sequence[str]) -> Iterator[str]:
    """The names in one random order after another."""
    while True:
        yield from dice.sample(names, len(names))
