"""What the company's template says, as a service knows it: a copy of all templates, and of which one is the company's.

    class TemplateCopy(TemplateRow, Base):
        __tablename__ = "template_copy"

    class TemplateChoiceCopy(TemplateChoiceRow, Base):
        __tablename__ = "template_choice_copy"

    templates = replica("customers.templates", Source(TemplateCopy, …), Source(TemplateChoiceCopy, …))
    settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)
    fields = (await settings.effective(tx)).fields.get("customer", [])

A change counts here when its event has arrived. What no template says is what an empty one says.
"""

from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Mapped

from tailrace.db.database import Tx
from tailrace.messaging.replica import Replica

__all__ = ["CompanySettings", "TemplateChoiceRow", "TemplateRow"]

Settings = TypeVar("Settings", bound=BaseModel)
_KEPT = 512
"""Of so many companies."""


class TemplateRow(Replica):
    """A template, with what holds by it and those above it."""

    effective: Mapped[dict[str, Any]]


class TemplateChoiceRow(Replica):
    """Which template is the company's; one row."""

    template_id: Mapped[UUID | None]


class CompanySettings(Generic[Settings]):
    """What holds for the company of a transaction."""

    def __init__(
        self, templates: type[TemplateRow], choices: type[TemplateChoiceRow], settings: type[Settings]
    ) -> None:
        self._chosen = select(cast(templates.effective, Text)).join(choices, choices.template_id == templates.id)
        # As long as a template says the same, its fields and patterns are not checked once more.
        self._read = lru_cache(maxsize=_KEPT)(settings.model_validate_json)

    async def effective(self, tx: Tx) -> Settings:
        """Read once in a transaction: what it decides by does not change on the way."""
        known: dict[UUID, Settings] = tx.info.setdefault(self, {})
        if (settings := known.get(tx.tenant_id)) is None:
            settings = self._read(await tx.scalar(self._chosen) or "{}")
            known[tx.tenant_id] = settings
        return settings
