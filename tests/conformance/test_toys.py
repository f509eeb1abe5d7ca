"""No invariant without a toy that breaks it: the healthy toy shop keeps all of them, and each broken copy is caught by the one made for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from broken import TOYS
from broken.toy import Toy
from invariants.table import INVARIANTS
from workshop import Shelf, Workshop

from tailrace.service import Service
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import TestIssuer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shelf(databases: Databases, issuer: TestIssuer) -> Shelf:
    return Shelf(databases, issuer)


@pytest.fixture
async def workshop(
    tmp_path: Path, services: list[Service], databases: Databases, shelf: Shelf
) -> AsyncIterator[Workshop]:
    workshop = Workshop(tmp_path, ROOT, services, databases, shelf.take)
    yield workshop
    await shelf.put_back()
    workshop.clear()


def test_every_invariant_has_a_toy_that_breaks_it() -> None:
    assert {toy.caught_by for toy in TOYS} == set(INVARIANTS)


def test_every_toy_is_broken_in_its_own_way() -> None:
    assert len({toy.name for toy in TOYS}) == len({(*toy.changes, toy.caught_by) for toy in TOYS}) == len(TOYS)


async def test_the_healthy_toy_shop_keeps_every_invariant(workshop: Workshop) -> None:
    subject = workshop.make()
    found = {name: await invariant.check(subject) for name, invariant in INVARIANTS.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("toy", TOYS, ids=[toy.name.replace(" ", "-") for toy in TOYS])
async def test_it_is_caught(toy: Toy, workshop: Workshop) -> None:
    found = await _found(toy, workshop)
    assert any(toy.saying in fault for fault in found), found or "it was not caught"


async def _found(toy: Toy, workshop: Workshop) -> list[str]:
    if toy.caught_by != "the_manifest_holds_together":
        return await INVARIANTS[toy.caught_by].check(workshop.make(toy))
    # Such a manifest does not even come into being.
    with pytest.raises(ValueError, match=toy.saying) as refusal:
        workshop.make(toy)
    return [str(refusal.value)]
