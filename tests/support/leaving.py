"""The service customers as crash tests run it: with the handover of leavers alone, so that it needs no Kafka."""

from dataclasses import replace

from customers import commands
from customers.service import service

leaving = replace(
    service,
    subscribers=[],
    routers=[],
    exposes=[],
    scopes=[],
    default_roles={},
    timers=[commands.handover],
    schedules=[],
    errands=[],
    attachments=[],
    imports=[],
)
