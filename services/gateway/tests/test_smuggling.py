"""What two parsers may read differently reaches no service as anything but what the gateway let in, and has the same effect with the fast path as
without.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from smuggling_cases import all_cases
from two_paths import Two, two_paths

CASES = dict(enumerate(all_cases().values(), 1))
NAMES = dict(enumerate(all_cases(), 1))


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with two_paths(tmp_path) as paths:
        yield paths


@pytest.mark.parametrize("how", ["whole", "pieces"])
async def test_every_case_has_the_same_effect_on_both_paths(two: Two, how: str) -> None:
    assert len(CASES) >= 300
    at_once = 12
    await two.send(CASES, how, at_once)
    assert two.differences(NAMES) == []
    assert two.slow.door.passed == 0
    # A corpus that the fast path passed over would show nothing.
    assert two.fast.door.passed > 2 * at_once
