"""By which process a document goes: the one that the company's template names for its kind, else the one that is activated for it, or none at all.

A template counts when a document is submitted. What runs goes on with the process that it has, whatever a template says later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from tailrace.core.values.text import folded
from tailrace.db.database import Tx
from workflow.deploying import serving, version_of
from workflow.processes import Process, ProcessVersion
from workflow.projections import settings

NOBODY = "The company's template says that nobody is asked about documents of this kind."
"""Why a document is approved at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a document begins with."""

    process: Process
    version: ProcessVersion
    note: str | None = None
    """Why it is this process, where the template names another."""


async def chosen(tx: Tx, kind: str) -> Choice | None:
    """What documents of a kind begin with; None where the company's template says that nobody is asked."""
    named = await _named(tx)
    code = named.get(kind)
    if kind in named and code is None:
        return None
    if code is not None:
        process = await tx.scalar(select(Process).where(Process.key == folded(code), Process.active > 0))
        if process is not None:
            return Choice(process, await version_of(tx, process, process.active))
    process, version = await serving(tx, kind)
    if code is None or process.key == folded(code):
        return Choice(process, version)
    return Choice(process, version, f"The template names the process {code}, of which no version is active here.")


async def again(tx: Tx, process_id: UUID) -> Choice:
    """What a document begins with that its process sends through it once more: the version that is active by now."""
    process = await tx.find(Process, process_id)
    return Choice(process, await version_of(tx, process, process.active))


async def named_by_the_template(tx: Tx) -> Mapping[str, UUID | None]:
    """The process by kind, where the template's word holds; None where nobody is asked."""
    named = await _named(tx)
    active = (await tx.execute(select(Process.key, Process.id).where(Process.active > 0))).all()
    ids = {row.key: row.id for row in active}
    holds = {kind: None if code is None else ids.get(folded(code)) for kind, code in named.items()}
    return {kind: id for kind, id in holds.items() if id is not None or named[kind] is None}


async def _named(tx: Tx) -> Mapping[str, str | None]:
    """What the template says, by kind."""
    return {str(kind): code for kind, code in (await settings.effective(tx)).approval.items()}
