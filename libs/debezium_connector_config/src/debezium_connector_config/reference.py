"""References to values that a Connect worker looks up itself, so that a rendered configuration holds no secret."""

import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_WRITTEN = re.compile(r"\$\{(?P<provider>[^}:]+):(?:(?P<path>[^}:]*):)?(?P<key>[^}:]+)\}")
_PART = r"^[^${}:\s][^${}:]*$"


class Reference(BaseModel):
    """A placeholder `${provider:path:key}` of a config provider, which the worker's `config.providers` must name.

    Anywhere a reference is accepted, its written form (`"${env:CAPTURE_PASSWORD}"`) is accepted too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(pattern=_PART)
    path: str | None = Field(default=None, pattern=_PART)
    key: str = Field(pattern=_PART)

    @classmethod
    def env(cls, variable: str) -> Self:
        """An environment variable of the worker (`EnvVarConfigProvider` under the name `env`)."""
        return cls(provider="env", key=variable)

    @classmethod
    def file(cls, path: str, key: str) -> Self:
        """A key of a properties file on the worker (`FileConfigProvider` under the name `file`)."""
        return cls(provider="file", path=path, key=key)

    @classmethod
    def directory(cls, path: str, name: str) -> Self:
        """A whole file in a folder on the worker, as Kubernetes mounts secrets (`DirectoryConfigProvider`)."""
        return cls(provider="directory", path=path, key=name)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        written = _WRITTEN.fullmatch(value)
        if written is None:
            raise ValueError("expected a reference such as ${env:NAME} or ${file:/path:key}")
        return written.groupdict()

    def __str__(self) -> str:
        return "${" + ":".join(part for part in (self.provider, self.path, self.key) if part is not None) + "}"
