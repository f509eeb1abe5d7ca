"""The page on the designs' names says where each is, and of what is not there that it is not."""

from pathlib import Path
from typing import ClassVar

import pytest

from tailrace.codegen.places import SEEDS
from tailrace.codegen.seeds import Named, named_in, seeds_page
from tailrace.core.events import Event
from tailrace.service import Service


class KiteFlown(Event):
    """A kite went up."""

    type: ClassVar[str] = "kite.flown"
    topic: ClassVar[str] = "kite.events"


OPENAPI = {"paths": {"/v1/kites/{kite_id}": {"patch": {"operationId": "kites.change"}, "parameters": []}}}
NAMES = "design\tkind\tname\nAir\tendpoint\tPATCH /kites/{}\nAir\tendpoint\tGET /kites/{}\nAir\tevent\tkite.flown\nSea\tevent\tboat.sunk\n"


def test_each_name_is_where_the_contracts_have_it_and_nowhere_else() -> None:
    kites = Service(name="kites", topic="kite.events", publishes=[KiteFlown])
    page = seeds_page(named_in(NAMES), [kites], OPENAPI)
    assert "## Air\n\n1 of 2 endpoints.\n" in page
    assert "| `PATCH /kites/{}` | `kites.change` |\n| `GET /kites/{}` | not yet |\n" in page
    assert "1 of 1 events.\n\n| Event | Where |\n|---|---|\n| `kite.flown` | `kite.events` |\n" in page
    assert page.endswith("## Sea\n\n0 of 1 events.\n\n| Event | Where |\n|---|---|\n| `boat.sunk` | not yet |\n")


def test_a_part_is_where_the_file_says() -> None:
    text = "design\tkind\tname\twhere\nAir\tpart\tA windsock\tdocs/a.md, libs/sock\nAir\tpart\tA balloon\t\n"
    page = seeds_page(named_in(text), [], {"paths": {}})
    assert "1 of 2 parts.\n\n| Part | Where |\n|---|---|\n| `A windsock` | [a.md](../a.md), `libs/sock` |\n" in page
    assert page.endswith("| `A balloon` | not yet |\n")


def test_every_place_of_a_part_is_there() -> None:
    root = Path(__file__).parents[3]
    named = named_in((root / SEEDS).read_text())
    missing = {path for row in named for path in row.paths if not (root / path).exists()}
    assert (missing, sum(bool(row.paths) for row in named) > 20) == (set(), True)


def test_a_file_of_another_shape_is_refused() -> None:
    assert named_in("design\tkind\tname\n") == []
    assert named_in(NAMES)[0] == Named("Air", "endpoint", "PATCH /kites/{}")
    for text in (
        "",
        "name\tkind\tdesign\n",
        "design\tkind\tname\nAir\tscreen\tKites\n",
        "design\tkind\tname\nAir\tevent\n",
        "design\tkind\tname\twhy\nAir\tevent\tkite.flown\thigh\n",
        "design\tkind\tname\twhere\nAir\tevent\tkite.flown\tdocs\n",
    ):
        with pytest.raises(ValueError, match=r"first line|not a name"):
            named_in(text)
