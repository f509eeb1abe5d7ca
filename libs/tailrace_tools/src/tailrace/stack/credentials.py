"""The secrets of one data folder: made at the first start, readable by the owner alone, handed on by environment."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from tailrace.settings import Settings


@dataclass(frozen=True)
class Credentials:
    postgres: str
    """Password of PostgreSQL's superuser `postgres`."""
    secret: str
    """What role passwords and key encryption derive from (`TAILRACE_SECRET`)."""
    operator: str
    """Password of the platform's first log-in (`TAILRACE_OPERATOR_PASSWORD`)."""

    def kafka(self, user: str) -> str:
        """The password of a Kafka user: derived, so that a process with the secret finds its own."""
        return Settings(secret=self.secret).kafka_user_password(user)

    @property
    def connect(self) -> str:
        """The password of `operator` at Connect's REST interface."""
        return Settings(secret=self.secret).role_password("connect-rest")

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
