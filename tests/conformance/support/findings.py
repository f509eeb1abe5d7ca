"""Every finding, each on a line of its own, where a comparison of lists would show the first and leave out the rest."""

from collections.abc import Sequence

import pytest


def say_all(findings: Sequence[str], rule: str | None = None) -> None:
    """Fails with all of them, and with the rule that they break."""
    if findings:
        pytest.fail(
            "\n".join([*([f"{rule.strip()}"] if rule else []), *(f"- {each}" for each in findings)]), pytrace=False
        )
