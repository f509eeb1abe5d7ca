from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from gateway_stand import MakeStand, Stand, stand_with


@pytest.fixture
async def make_stand(tmp_path: Path) -> AsyncIterator[MakeStand]:
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Stand:
            return await stack.enter_async_context(stand_with(tmp_path, **settings))

        yield make


@pytest.fixture
async def stand(make_stand: MakeStand) -> Stand:
    return await make_stand()
