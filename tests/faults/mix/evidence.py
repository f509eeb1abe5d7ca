"""Everything that the checks look at, as plain data: what was asked, what is there, and what was done to the fleet. Tampering with it must show."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mix.databases import Databases, DeadLetter
from mix.setup import Shop
from mix.topics import Record, Topics, Where


@dataclass
class Found:
    """What one company's administrator is shown through the gateway."""

    orders: list[dict[str, Any]]
    shipments: list[dict[str, Any]]
    stock: list[dict[str, Any]]
    trial: dict[str, Any]
    journals: list[dict[str, Any]]
    intact: bool
    replays: dict[str, bool]
    """By good and warehouse: whether the stock's events still make its row."""


@dataclass
class Evidence:
    log: Iterable[dict[str, Any]]
    """The lines of the log of requests."""
    found: dict[str, Found]
    """By tenant's slug."""
    tenants: dict[str, str]
    """The tenant's id by its slug."""
    records: list[Record]
    """Every record on the topics that claims to be an event of these tenants."""
    outbox: dict[str, str]
    marks: dict[tuple[str, str], int]
    dead_letters: list[DeadLetter]
    """Before anybody dropped the poison."""
    left: list[DeadLetter]
    """The dead letters that are left after that."""
    forged: dict[Where, str]
    republished: set[Where]
    read_again: int
    """Records that rewound groups had to go over once more; all of them did, since nobody is behind."""
    counts: Counter[str] = field(default_factory=Counter)


async def look(shop: Shop) -> Found:
    """Ask the gateway for all there is of one company."""
    admin = shop.admin
    places = [(item, warehouse) for item in shop.items for warehouse in shop.warehouses]
    replays = [await admin.get(f"/v1/inventory/stock/{item}/{warehouse}/replay") for item, warehouse in places]
    orders, shipments, stock, journals = await asyncio.gather(
        admin.every("/v1/orders"),
        admin.every("/v1/shipments"),
        admin.every("/v1/inventory/stock"),
        admin.every("/v1/accounting/journals"),
    )
    return Found(
        orders=orders,
        shipments=shipments,
        stock=stock,
        trial=await admin.get("/v1/accounting/trial-balance"),
        journals=journals,
        intact=(await admin.get("/v1/accounting/integrity"))["intact"],
        replays={f"{item}/{warehouse}": each["equal"] for (item, warehouse), each in zip(places, replays, strict=True)},
    )


async def outside(topics: Topics, databases: Databases, forged: set[Where]) -> dict[str, Any]:
    """What the topics and the databases hold."""
    await topics.read_on()
    return {
        "records": topics.records,
        "outbox": await databases.outbox(),
        "marks": await databases.marks(),
        "left": await databases.dead_letters(forged),
    }
