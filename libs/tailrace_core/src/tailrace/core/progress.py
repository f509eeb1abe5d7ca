"""How a long preparation tells where it is."""

from collections.abc import Callable
from typing import Literal

Phase = Literal["waiting", "starting", "ready", "restarting", "failed", "stopping", "stopped"]

Say = Callable[[str, Phase, str], None]
"""Called with a part, its phase and a detail."""
