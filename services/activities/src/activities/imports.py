"""Tasks from files, through the command that HTTP uses."""

from activities import commands
from activities.bodies import TaskBody
from activities.projections import days
from activities.tasks import Task
from tailrace.db.database import Tx
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable


async def _create(tx: Tx, body: TaskBody) -> Task:
    return await commands.create_task(tx, body)


tasks = Importable(
    service="activities",
    name="tasks",
    body=TaskBody,
    columns=[
        column("title", "Title", "件名", "タイトル"),
        column("description", "Description", "詳細", "内容"),
        column("user_id", "User id", "担当者ID"),
        column("priority", "Priority", "優先度"),
        column("due_at", "Due at", "期限日時"),
        column("due_on", "Due on", "期限", "期限日"),
        column("time_zone", "Time zone", "タイムゾーン"),
        column("lead_minutes", "Lead minutes", "通知(分前)"),
        column("customer_id", "Customer id", "顧客ID"),
        column("opportunity_id", "Opportunity id", "商談ID"),
        column("quote_id", "Quote id", "見積ID"),
        column("order_id", "Order id", "受注ID"),
        column("checklist"),
        column("recurrence"),
    ],
    create=_create,
    key=lambda body: None,
    days=days,
    ignored=(
        "id",
        "version",
        "created_at",
        "updated_at",
        "status",
        "due_by",
        "overdue",
        "meeting_id",
        "series_id",
        "completed_at",
        "reason",
    ),
)
