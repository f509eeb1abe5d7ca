"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read_meetings, write_meetings = scopes(
    "meetings", read="See meetings", write="Plan and change meetings, and say how they went", by_owner=True
)
read_tasks, write_tasks = scopes("tasks", read="See tasks", write="Give, change and finish tasks", by_owner=True)
set_lead_time = Scope("tasks:lead_time", "Say how long before they are due tasks are announced")

MeetingReader = Annotated[Principal, Requires(read_meetings)]
MeetingWriter = Annotated[Principal, Requires(write_meetings)]
NextStepTaker = Annotated[Principal, Requires(write_meetings, write_tasks)]
TaskReader = Annotated[Principal, Requires(read_tasks)]
TaskWriter = Annotated[Principal, Requires(write_tasks)]
LeadTimeSetter = Annotated[Principal, Requires(set_lead_time)]
FeedKeeper = Annotated[Principal, Requires(read_meetings, read_tasks)]
