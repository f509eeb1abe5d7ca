"""Where a report says that a document is read, a service reads it: compared with the paths of every service's OpenAPI document."""

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest

from analytics.measures import PATHS, Kind
from analytics.movements import Movement
from tailrace.core.ids import uuid7

ITEMS: tuple[Kind, ...] = ("goods_issue", "goods_receipt")
"""What is told apart by item: entries of the ledger, which are read as a list."""


def reads() -> dict[str, set[str]]:
    """Every path that is read, and the names of the parameters that it takes."""
    found: dict[str, set[str]] = {}
    for each in (files("contracts") / "openapi").iterdir():
        document = json.loads(each.read_text(encoding="utf-8"))
        for path, operations in document["paths"].items():
            if "get" in operations:
                told = [*operations.get("parameters", ()), *operations["get"].get("parameters", ())]
                found[path] = {_whole(document, one)["name"] for one in told}
    return found


def _whole(document: Any, parameter: Any) -> Any:
    """A parameter that several operations have stands apart from them."""
    if "$ref" not in parameter:
        return parameter
    return document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_record_is_read_where_its_path_says(kind: Kind) -> None:
    where = {"item_id": uuid7(), "warehouse_id": uuid7()} if kind in ITEMS else {}
    at = datetime(2026, 10, 10, tzinfo=UTC)
    said = urlsplit(Movement(kind=kind, document_id=uuid7(), at=at, **where).path)
    known = reads()
    if kind in ITEMS:
        assert said.path == PATHS[kind]
        assert set(parse_qs(said.query)) <= known[said.path]
    else:
        # What is after the document's folder is its id, and nothing else takes that place.
        assert [path for path in known if re.fullmatch(re.escape(PATHS[kind]) + r"/\{\w+_id\}", path)]
        assert not said.query
