"""A migrated database per test, cloned from a template in a fraction of a second."""

from itertools import count

import asyncpg

from tailrace.runtime.migrate import prepare_database
from tailrace.service import Service
from tailrace.settings import Settings


class Databases:
    """Makes templates once per run and service, and clones of them."""

    def __init__(self, admin_url: str, secret: str) -> None:
        self.settings = Settings(postgres=admin_url, secret=secret)
        self._admin_url = admin_url
        self._templates: dict[str, str] = {}
        self._numbers = count(1)

    async def clone(self, service: Service) -> str:
        """A fresh database of the service; its name."""
        if service.name not in self._templates:
            template = f"template_{service.name}"
            await prepare_database(self._admin_url, service, self.settings, name=template)
            self._templates[service.name] = template
        name = f"{service.name}_{next(self._numbers)}"
        admin = await asyncpg.connect(self._admin_url)
        try:
            template = self._templates[service.name]
            await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{service.name}_owner"')
            await admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            for role in ("app", "capture"):
                await admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{service.name}_{role}"')
        finally:
            await admin.close()
        return name

    async def drop(self, name: str) -> None:
        admin = await asyncpg.connect(self._admin_url)
        try:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await admin.close()

    def admin_url(self, name: str) -> str:
        """The superuser's address of a database: sees every tenant's rows."""
        return self._admin_url.rsplit("/", 1)[0] + f"/{name}"

    def app_url(self, service: str, name: str) -> str:
        return self.settings.database(service).rsplit("/", 1)[0] + f"/{name}"
