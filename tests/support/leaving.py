"""Services as crash tests run them: with what follows users and customers who are gone alone, so that they need no Kafka."""

from dataclasses import replace

from activities import following
from activities.service import service as activities
from customers import commands
from customers.service import service as customers
from opportunities import timers as opportunities_timers
from opportunities.service import service as opportunities
from quotes import timers as quotes_timers
from quotes.service import service as quotes
from tailrace.messaging.timers import Timer
from tailrace.service import Service


def _alone(service: Service, timer: Timer) -> Service:
    return replace(
        service,
        subscribers=[],
        routers=[],
        exposes=[],
        scopes=[],
        default_roles={},
        timers=[timer],
        schedules=[],
        errands=[],
        attachments=[],
        imports=[],
    )


leaving = _alone(customers, commands.handover)
ends = {
    "activities": _alone(activities, following.turn),
    "opportunities": _alone(opportunities, opportunities_timers.following),
    "quotes": _alone(quotes, quotes_timers.ending),
}
"""By the service, what becomes of what is open there for a customer that was deleted."""
