"""Templates: a change of one reaches all below it in the same transaction; what a child says itself stays."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from catalog.bodies import TemplateBody
from catalog.models import Template, TemplateChoice
from contracts.templates import TemplateLevel, TemplateSettings
from tailrace.core.errors import Invalid, RefersToDeleted, Stale
from tailrace.db import master_data
from tailrace.db.database import Tx

MOST_BELOW = 500
"""Templates directly below one: a change of it is an event of each of them."""
_ABOVE: Mapping[TemplateLevel, tuple[TemplateLevel, ...]] = {
    "standard": (),
    "industry": ("standard",),
    "customer": ("industry", "standard"),
}


async def create(tx: Tx, body: TemplateBody) -> Template:
    """Raises Invalid for a parent that is not there, is of no more general level, or has too many below it; CodeTaken."""
    parent = await _parent_for(tx, body)
    return await master_data.create(tx, Template, _values(body, parent))


async def replace(tx: Tx, id: UUID, match: int | None, body: TemplateBody) -> Template:
    """Raises Unknown, Stale, Fixed, CodeTaken. Every template below that is different now is published too."""
    parent = await _parent_of(tx, await tx.find(Template, id))
    before = (await tx.load(Template, id, match)).effective
    row = await master_data.replace(tx, Template, id, match, _values(body, parent))
    if row.effective != before:
        await _hand_down(tx, row)
    return row


async def restore(tx: Tx, id: UUID, match: int | None) -> Template:
    """Back in use with its own settings, and with what its parent says by now. Raises what `master_data.restore` raises."""
    kept = await tx.scalar(select(Template).where(Template.id == id))
    parent = await _parent_of(tx, kept) if kept is not None else None
    row = await tx.load(Template, id, match, even_deleted=True)
    if row.deleted_at is not None:
        row.effective = _below(parent, TemplateSettings.model_validate(row.settings))
    return await master_data.restore(tx, Template, id, row.version)


async def chosen(tx: Tx) -> TemplateChoice | None:
    """The company's choice; None while none was ever made."""
    return await tx.scalar(select(TemplateChoice).where(TemplateChoice.id == TemplateChoice.id_of(tx.tenant_id)))


async def choose(tx: Tx, match: int | None, template_id: UUID | None) -> TemplateChoice:
    """Raises Stale, Invalid for a template that is not in use. What was never chosen has version 0."""
    if template_id is not None and await _held(tx, template_id) is None:
        raise Invalid.field("/template_id", f"There is no template {template_id}.")
    if await chosen(tx) is not None:
        choice = await tx.load(TemplateChoice, TemplateChoice.id_of(tx.tenant_id), match)
    elif match:
        raise Stale(match, 0)
    else:
        choice = TemplateChoice(id=TemplateChoice.id_of(tx.tenant_id))
        tx.add(choice)
    choice.choose(template_id)
    return choice


async def _parent_for(tx: Tx, body: TemplateBody) -> Template | None:
    allowed = _ABOVE[body.level]
    if body.parent_id is None:
        if body.level == "industry":
            raise Invalid.field("/parent_id", "An industry's template is below a standard one.")
        return None
    parent = await _held(tx, body.parent_id)
    if parent is None:
        raise Invalid.field("/parent_id", f"There is no template {body.parent_id}.")
    if parent.level not in allowed:
        said = f"is below one of {' or '.join(allowed)}" if allowed else "has no parent"
        raise Invalid.field("/parent_id", f"A template of {body.level} {said}, and {parent.code} is of {parent.level}.")
    below = select(func.count()).where(Template.parent_id == parent.id, Template.deleted_at.is_(None))
    if (await tx.scalar(below) or 0) >= MOST_BELOW:
        raise Invalid.field("/parent_id", f"There are {MOST_BELOW} templates below {parent.code} already.")
    return parent


async def _held(tx: Tx, id: UUID) -> Template | None:
    """The template, when it is in use; it stays as it is until the transaction ends, so that who inherits from it misses no change."""
    live = select(Template).where(Template.id == id, Template.deleted_at.is_(None))
    return await tx.scalar(live.with_for_update(read=True))


async def _parent_of(tx: Tx, row: Template) -> Template | None:
    """Locked before what is below it, as a change that comes down does. Raises RefersToDeleted."""
    if row.parent_id is None:
        return None
    parent = await _held(tx, row.parent_id)
    if parent is None:
        raise RefersToDeleted(f"The template above {row.code} is deleted.", field="/parent_id")
    return parent


async def _hand_down(tx: Tx, parent: Template) -> None:
    below = select(Template.id).where(Template.parent_id == parent.id, Template.deleted_at.is_(None))
    for id in (await tx.scalars(below.order_by(Template.id))).all():
        child = await tx.load(Template, id)
        effective = _below(parent, TemplateSettings.model_validate(child.settings))
        if effective != child.effective:
            child.effective = effective
            child.record_as(Template.updated)
            await _hand_down(tx, child)


def _below(parent: Template | None, settings: TemplateSettings) -> dict[str, Any]:
    above = TemplateSettings.model_validate(parent.effective if parent is not None else {})
    return settings.below(above).model_dump(mode="json")


def _values(body: TemplateBody, parent: Template | None) -> dict[str, Any]:
    said = {"parent_id": body.parent_id, "effective": _below(parent, body.settings)}
    return body.model_dump(mode="json") | said
