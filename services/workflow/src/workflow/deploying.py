"""How processes come to be: deployed by people in versions, and for every company the one that is shipped with the service."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import undefer

from tailrace.core.errors import Unknown
from tailrace.core.ids import derived_id, uuid7
from tailrace.db.database import Tx
from workflow import engine, matrix, roles
from workflow.processes import ANY_KIND, MATRIX, Files, Process, ProcessVersion
from workflow.refusals import CannotRun

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))
SHIPPED = "approval"
"""The key of the process that every company begins with, for documents of any kind."""


_WORKS: frozenset[str] = frozenset()
"""The named works that a service task may ask for: an approval has none, so that such a task is refused before anything waits at it."""


@lru_cache(maxsize=64)
def _compiled(source: bytes, decisions: tuple[tuple[str, bytes], ...]) -> Any:
    return engine.deploy(source, dict(decisions), works=_WORKS)


def compiled(given: Files, field: str = "/source") -> Any:
    """What the engine makes of a process and its decisions. Raises CannotRun, which names what is at fault."""
    try:
        return _compiled(given.source, tuple(sorted(given.decisions.items())))
    except engine.NotRunnable as error:
        said = [(f"{each.element} {each.element_id} (line {each.line})", each.why) for each in error.findings]
        raise CannotRun(field, said) from error


def checked_matrix(dmn: bytes, field: str = "/matrix") -> bytes:
    """A matrix whose rows are requirements. Raises CannotRun."""
    try:
        matrix.check(matrix.read(dmn))
    except ValueError as error:
        raise CannotRun(field, [(MATRIX, str(error))]) from error
    return dmn


async def deploy(tx: Tx, process: Process, given: Files) -> ProcessVersion:
    """Add a version to a process. Raises CannotRun."""
    made = compiled(given)
    for name, dmn in given.decisions.items():
        if name == MATRIX:
            checked_matrix(dmn, "/decisions/matrix")
    elements = [asdict(each) for each in engine.inspect(given.source)]
    version = process.deploy(given, made.spec_json, elements)
    tx.add(version)
    return version


async def activate(tx: Tx, process: Process, number: int, kinds: Sequence[str]) -> None:
    """Let documents of these kinds begin with a version from now on, and with no other process. Raises Unknown."""
    version = await version_of(tx, process, number)
    others = await tx.scalars(select(Process.id).where(Process.id != process.id).order_by(Process.id))
    for id in list(others):
        other = await tx.find(Process, id)
        if set(other.kinds) & set(kinds):
            other = await tx.load(Process, id)
            other.give_up(kinds, roles.of_version(await version_of(tx, other, other.active)))
    process.activate(number, kinds, roles.of_version(version))


async def version_of(tx: Tx, process: Process, number: int) -> ProcessVersion:
    """Raises Unknown."""
    query = select(ProcessVersion).where(ProcessVersion.process_id == process.id, ProcessVersion.number == number)
    found = await tx.scalar(query.options(undefer("*")))
    if found is None:
        raise Unknown("ProcessVersion", str(number))
    return found


async def serving(tx: Tx, kind: str) -> tuple[Process, ProcessVersion]:
    """The process that documents of a kind begin with, and its version. The shipped one is made when there is none at all."""
    meant = or_(Process.kinds.contains([kind]), Process.kinds.contains([ANY_KIND]))
    serve = list(await tx.scalars(select(Process).where(meant, Process.active > 0).order_by(Process.id)))
    if not serve:
        await found(tx)
        serve = [await tx.find(Process, shipped_id(tx))]
    process = next((one for one in serve if kind in one.kinds), serve[0])
    return process, await version_of(tx, process, process.active)


async def found(tx: Tx) -> None:
    """Give the company the shipped process, once."""
    id = shipped_id(tx)
    there = select(Process.id).where(Process.id == id)
    if await tx.scalar(there) is not None:
        return
    # The company and its first document may be heard of at the same time.
    await tx.execute(_LOCK, {"lock": f"workflow.shipped/{tx.tenant_id}"})
    if await tx.scalar(there) is not None:
        return
    process = Process.named(id, SHIPPED, "Approval by a matrix")
    tx.add(process)
    version = await deploy(tx, process, shipped())
    process.activate(1, [ANY_KIND], roles.of_version(version))
    # Who found none looks for it again, in the database.
    await tx.flush()


@lru_cache(maxsize=1)
def shipped() -> Files:
    """The files of the shipped process."""
    folder = files("workflow").joinpath("shipped")
    return Files(folder.joinpath("approval.bpmn").read_bytes(), {MATRIX: folder.joinpath("matrix.dmn").read_bytes()})


def shipped_id(tx: Tx) -> Any:
    return derived_id("workflow.process", tx.tenant_id, SHIPPED)


def new_process(key: str, name: str) -> Process:
    return Process.named(uuid7(), key, name)
