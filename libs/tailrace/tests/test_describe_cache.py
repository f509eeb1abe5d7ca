"""What was described is taken for unchanged only when it is: every source and every file that was written counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tailrace.codegen.cache import DescribeCache
from tailrace.codegen.places import SCHEMAS, promised

SOURCES = {
    "kit": "libs/tailrace/src/tailrace/kit.py",
    "contracts": "contracts/src/contracts/orders.py",
    "own": "services/orders/src/orders/routes.py",
    "other": "services/catalog/src/catalog/routes.py",
    "contract that is heard": "contracts/src/contracts/heard.py",
    "contract of a contract": "contracts/src/contracts/shared.py",
    "another contract": "contracts/src/contracts/claims.py",
}
TEXTS = {
    "own": "from contracts.orders import OrderConfirmed\nfrom contracts import (\n    heard,\n)\n",
    "contract that is heard": "import contracts.shared as shared\n",
}
WRITTEN = SCHEMAS / "order.created.v1.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that was described just now."""
    for name, path in {**SOURCES, "written": str(WRITTEN)}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(TEXTS.get(name, "1"))
    cache = DescribeCache(tmp_path)
    cache.keep_document("orders", {"openapi": "3.1.0"})
    cache.keep_described([WRITTEN])
    return tmp_path


def _is_described(root: Path) -> bool:
    return DescribeCache(root).is_described(promised(root))


def test_nothing_has_changed(root: Path) -> None:
    assert _is_described(root)
    assert DescribeCache(root).document("orders") == {"openapi": "3.1.0"}
    assert DescribeCache(root).document("catalog") is None


@pytest.mark.parametrize(("name", "kept"), [(each, each in {"other", "another contract"}) for each in SOURCES])
def test_a_source_that_differs_counts_for_what_is_made_of_it(root: Path, name: str, kept: bool) -> None:
    (root / SOURCES[name]).write_text("2")
    assert not _is_described(root)
    assert (DescribeCache(root).document("orders") is not None) == kept


def test_every_contract_counts_for_who_asks_for_whatever_there_is(root: Path) -> None:
    (root / SOURCES["own"]).write_text("from contracts import registry\n")
    DescribeCache(root).keep_document("orders", {"openapi": "3.1.0"})
    assert DescribeCache(root).document("orders") is not None
    (root / SOURCES["another contract"]).write_text("2")
    assert DescribeCache(root).document("orders") is None


def test_a_setting_counts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_POLL_INTERVAL_MS", "7")
    assert not _is_described(root)


def _move(root: Path) -> None:
    own = root / SOURCES["own"]
    own.rename(own.with_name("views.py"))


def _edit(root: Path) -> None:
    (root / WRITTEN).write_text("by hand")


def _add(root: Path) -> None:
    (root / SCHEMAS / "order.forged.v1.json").write_text("1")


def _tear(root: Path) -> None:
    for path in (root / "dist/.describe_cache").iterdir():
        path.write_text("{")


@pytest.mark.parametrize("change", [_move, _edit, _add, _tear, lambda root: (root / WRITTEN).unlink()])
def test_anything_else_is_described_again(root: Path, change: Callable[[Path], None]) -> None:
    change(root)
    assert not _is_described(root)
