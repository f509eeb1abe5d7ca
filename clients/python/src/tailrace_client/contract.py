"""What can be asked, by the operation ids of the contracts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Operation:
    """`query` names the parameters that go behind the `?`; those of `path` stand in it in braces."""

    method: str
    path: str
    query: tuple[str, ...]
    summary: str

    @property
    def paged(self) -> bool:
        return "cursor" in self.query

    def address(self, said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The path, filled in, and the query. Raises TypeError that names what is missing, not known, or cannot stand in a path."""
        in_path = [name for _, name, _, _ in Formatter().parse(self.path) if name]
        # An empty part, or one of dots, would be another path by the time it is sent.
        if lacking := [name for name in in_path if said.get(name) is None or str(said[name]) in {"", ".", ".."}]:
            raise TypeError(f"{self.path} needs {', '.join(lacking)}")
        if unknown := sorted(said.keys() - {*in_path, *self.query}):
            raise TypeError(f"{self.path} knows no {', '.join(unknown)}; it takes {', '.join([*in_path, *self.query])}")
        filled = self.path.format(**{name: quote(str(said[name]), safe="") for name in in_path})
        return filled, {name: said[name] for name in self.query if said.get(name) is not None}


@cache
def operations() -> Mapping[str, Operation]:
    """By operation id, such as `orders.confirm`; built into the package from the contracts."""
    made = json.loads((files("tailrace_client") / "operations.json").read_text())
    return {
        name: Operation(each["method"], each["path"], tuple(each["query"]), each["summary"])
        for name, each in made.items()
    }
