"""The page on the designs' names says where each is, and of what is not there that it is not."""

from typing import ClassVar

import pytest

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


def test_a_file_of_another_shape_is_refused() -> None:
    assert named_in("design\tkind\tname\n") == []
    assert named_in(NAMES)[0] == Named("Air", "endpoint", "PATCH /kites/{}")
    for text in (
        "",
        "name\tkind\tdesign\n",
        "design\tkind\tname\nAir\tscreen\tKites\n",
        "design\tkind\tname\nAir\tevent\n",
    ):
        with pytest.raises(ValueError, match=r"first line|not a name"):
            named_in(text)
