"""Who sees an approval without seeing all: who asked for it, who is asked now or stands in for somebody who is, and who said something of it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from workflow.base import Base
from workflow.delegations import speaks
from workflow.projections import UserCopy


def seen_by(approval: Any, owners: frozenset[UUID]) -> ColumnElement[bool]:
    """Whether one of these users has to do with an approval; `approval` has its columns. For the condition of a query."""
    task, vote = (Base.metadata.tables[name].alias(f"seen_{name}") for name in ("task", "vote"))
    asked = exists().where(
        task.c.approval_id == approval.id, task.c.status == "open", _is_asked(approval, task, owners)
    )
    said = exists().where(
        task.c.approval_id == approval.id, vote.c.task_id == task.c.id, vote.c.user_id.in_(sorted(owners))
    )
    return or_(approval.requester_id.in_(sorted(owners)), asked, said)


def seen_with_its_approval(approval_id: Any, owners: frozenset[UUID]) -> ColumnElement[bool]:
    """Whether the approval of this id is seen."""
    approval = Base.metadata.tables["approval"].alias("seen_approval")
    return exists().where(approval.c.id == approval_id, seen_by(approval.c, owners))


def _is_asked(approval: Any, task: Any, owners: frozenset[UUID]) -> ColumnElement[bool]:
    table: Any = UserCopy.__table__
    copy = table.alias("seen_user")
    who = copy.c
    by_id = func.jsonb_exists(task.c.users, cast(who.id, Text))
    names = select(func.jsonb_array_elements_text(task.c.roles)).correlate(task).scalar_subquery()
    by_role = func.jsonb_exists_any(who.roles, func.array(names, type_=ARRAY(Text)))
    # Nobody decides what they asked for, nor anybody in their place.
    not_own = who.id.is_distinct_from(approval.requester_id)
    asked = exists().where(who.id.in_(speaks(owners)), who.active, not_own, or_(by_id, by_role))
    return asked.correlate_except(copy)
