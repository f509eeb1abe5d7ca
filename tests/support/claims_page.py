"""The service that the page "Add a service" builds by hand, with more of what the page shows put into it."""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from pages import blocks, files_of

import contracts

PAGE = "docs/how-to/add-a-service.md"
Changes = Mapping[str, Sequence[tuple[str, str]]]
"""By module: what stands there once, and what to put in its place."""


@contextmanager
def claims_with(folder: Path, test: str, imports: str, number: int, changes: Changes) -> Iterator[ModuleType]:
    """The manifest's module of `claims`, made in `folder`, with a module `besides`: the `number` blocks of the page that name this test."""
    for name, text in files_of(PAGE).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    source = folder / "services/claims/src/claims"
    besides = [block.text for block in blocks(PAGE, "python") if block.remark == f"run by: {test}"]
    assert len(besides) == number
    (source / "besides.py").write_text(imports + "\n\n".join(besides))
    for name, pairs in changes.items():
        text = (source / name).read_text()
        for before, after in pairs:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        (source / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(source.parent))
        patch.setattr(contracts, "__path__", [*contracts.__path__, str(folder / "contracts/src/contracts")])
        _forget()
        yield importlib.import_module("claims.service")
        _forget()


def _forget() -> None:
    """Other tests import a `claims` of their own."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "claims" or name == "contracts.claims"]:
        del sys.modules[name]
    vars(contracts).pop("claims", None)
