"""The secrets of one data folder: made at the first start, readable by the owner alone, handed on by environment."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    postgres: str
    """Password of PostgreSQL's superuser `postgres`."""
    secret: str
    """What role passwords and key encryption derive from (`TAILRACE_SECRET`)."""
    operator: str
    """Password of the platform's first log-in (`TAILRACE_OPERATOR_PASSWORD`)."""

    @classmethod
    def load_or_create(cls, path: Path) -> "Credentials":
        """Read them, or make them; the environment decides over a secret that has none in the file yet."""
        if path.exists():
            return cls(**json.loads(path.read_text()))
        made = cls(
            postgres=secrets.token_urlsafe(24),
            secret=os.environ.get("TAILRACE_SECRET") or secrets.token_urlsafe(32),
            operator=os.environ.get("TAILRACE_OPERATOR_PASSWORD") or secrets.token_urlsafe(12),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(made), file, indent=1)
        return made
