"""`tailrace rebuild`: a read model built again from the topics beside the live one, compared with it, and switched."""

import asyncio

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from tailrace.cli.console import out, say_failure
from tailrace.cli.running import enter_environment
from tailrace.core.operator_error import OperatorError
from tailrace.db.error_classes import is_transient
from tailrace.messaging.subscribers import Projection
from tailrace.observability.logs import configure
from tailrace.rebuild.builder import CannotRebuild
from tailrace.rebuild.cutover import Compared
from tailrace.rebuild.rebuild import Rebuilt, projection_of, rebuild
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.plan import service_names

_MOST_SHOWN = 20


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} events/s" if speed else "")


def rebuild_projection(name: str, *, check: bool) -> bool:
    """Rebuild it, or with `check` compare only; says whether that ended well. Raises OperatorError."""
    enter_environment()
    configure("rebuild", "CRITICAL")
    service, projection = _projection(name)
    try:
        rebuilt = asyncio.run(_with_progress(service, projection, check))
    except CannotRebuild as refusal:
        raise OperatorError(f"{name} was not rebuilt: {refusal}", refusal.remedy) from None
    except Exception as error:
        if not is_transient(error):
            raise
        what = f"{name} was not rebuilt: PostgreSQL or Kafka does not answer ({type(error).__name__}: {error})"
        raise OperatorError(what, "nothing has changed; see: tailrace status, then try again") from None
    _print(name, rebuilt)
    return not (check and rebuilt.differs)


def _projection(name: str) -> tuple[Service, Projection]:
    # To load every service takes seconds; a subscriber is called after its own.
    owner = name.partition(".")[0]
    for service in load_services([owner]) if owner in service_names() else ():
        if any(subscriber.name == name for subscriber in service.subscribers):
            try:
                return service, projection_of(service, name)
            except CannotRebuild as refusal:
                raise OperatorError(f"{name} cannot be rebuilt: {refusal}", refusal.remedy) from None
    known = sorted(
        subscriber.name
        for service in load_services()
        for subscriber in service.subscribers
        if isinstance(subscriber, Projection)
    )
    raise OperatorError(f"there is no projection {name}", f"there are: {', '.join(known)}")


async def _with_progress(service: Service, projection: Projection, check: bool) -> Rebuilt:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out) as progress:
        task = progress.add_task(f"Reading {', '.join(sorted(projection.topics))}", total=None)
        return await rebuild(
            service,
            projection,
            Settings(),
            lambda done, total: progress.update(task, completed=done, total=total),
            check=check,
        )


def _print(name: str, rebuilt: Rebuilt) -> None:
    _print_tables(rebuilt)
    _print_tenants([each for each in rebuilt.compared if each.differs])
    if rebuilt.dead_letters:
        say_failure(
            f"{rebuilt.dead_letters} events could not be applied in the rebuild either",
            f"see: tailrace dlq list --subscriber {name}" if rebuilt.switched else "they would be dead letters",
        )
    found = "differs from what the topics say" if rebuilt.differs else "is what the topics say"
    if not rebuilt.switched:
        out.print(Text(f"{name} {found}. Nothing was changed."))
        return
    done = "was put right" if rebuilt.differs else "had no difference"
    out.print(
        Text("✓ ", "green")
        + Text(f"{name} {done}: {rebuilt.events:,} events read; its consumers stood still for {rebuilt.still:.2f} s.")
    )


def _print_tables(rebuilt: Rebuilt) -> None:
    table = Table("Table")
    for title in ("Equal", "Only live", "Only rebuilt", "Different"):
        table.add_column(title, justify="right")
    for name in dict.fromkeys(each.table for each in rebuilt.compared):
        table.add_row(name, *_counts([each for each in rebuilt.compared if each.table == name]))
    if not rebuilt.compared:
        out.print("There are no rows, neither live nor rebuilt.")
    else:
        out.print(table)


def _print_tenants(differing: list[Compared]) -> None:
    for each in differing[:_MOST_SHOWN]:
        _, only_live, only_rebuilt, different = _counts([each])
        whose = f"tenant {each.tenant_id}" if each.tenant_id else "no tenant's"
        counts = f"{only_live} only live, {only_rebuilt} only rebuilt, {different} different"
        out.print(Text(f"  {each.table}, {whose}: {counts}"))
    if len(differing) > _MOST_SHOWN:
        out.print(f"  … and {len(differing) - _MOST_SHOWN} more that differ.")


def _counts(compared: list[Compared]) -> list[str]:
    names = ("equal", "only_live", "only_rebuilt", "different")
    return [f"{sum(getattr(each, name) for each in compared):,}" for name in names]
