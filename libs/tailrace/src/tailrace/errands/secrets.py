"""Secrets by reference: a row names one, and the process that makes the call looks it up. It is never stored, logged, or part of an error.

`env:PARTNER_SECRET_…` is a variable of the environment, `file:name` a file in the folder that `TAILRACE_SECRETS` names. No other variable and no
other folder can be named, so that a reference which came from outside reads nothing else.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "PARTNER_SECRET_"
_REFERENCE = re.compile(rf"env:{PREFIX}[A-Z0-9_]+|file:[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST = 8192


class SecretMissing(Exception):
    """A reference leads to nothing usable. Says which, and never what is there."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A header's value that is known when the call is made: `before`, and what `reference` leads to. Raises ValueError for no reference."""

    reference: str
    before: str = ""

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.reference):
            raise ValueError(f"a secret is env:{PREFIX}… or file:…")


def look_up(secret: Secret, folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The secret itself, without what ends its line. Raises SecretMissing."""
    kind, _, name = secret.reference.partition(":")
    try:
        text = environment[name] if kind == "env" else (folder / name).read_bytes()[: _LARGEST + 1].decode()
    except (KeyError, OSError, UnicodeDecodeError):
        raise SecretMissing(secret.reference) from None
    text = text.rstrip("\r\n")
    # A header holds visible ASCII; what else is in it, the client would quote in its error.
    if not text or len(text) > _LARGEST or not all(" " <= character <= "~" for character in text):
        raise SecretMissing(secret.reference)
    return text
