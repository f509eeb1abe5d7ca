"""What the size of the fleet decides, where no setting says otherwise: what suits eight services would cost forty of them most of a machine.

Every connector and every consumer asks at an interval. The intervals grow with the fleet, so that all together ask about as often as those of a
small one.
"""

from collections.abc import Mapping

LOOKS = 200
"""How often per second all connectors together look for something new (`poll.interval.ms`); half a millisecond of Connect's CPU each."""
HEARTBEATS = 5
"""Per second. Each is a row of the write-ahead log, which every connector's slot reads."""
FETCHES = 16
"""Long polls per second that find nothing; a client that waits in one is answered as soon as there is something."""
DELIVERIES = 200
"""Per second, by all consumers together while events come all the time: each is a transaction, and a fetch."""
LOOKOUTS = 4
"""Looks per second for timers, jobs, errands and dead letters of which nobody told."""
REDRIVES = 8
"""Looks per second for dead letters that can be applied now, while every service has some."""
SMALL = 10
"""Services up to which the defaults of `tailrace.settings` hold. Beyond, each keeps two database connections open: one costs 2.5 MiB."""


def environment(services: int, given: Mapping[str, str]) -> dict[str, str]:
    """The `TAILRACE_…` variables for a fleet of so many, except those that are given."""
    if services <= SMALL:
        return {}
    wanted = {
        "TAILRACE_POLL_INTERVAL_MS": 1000 * services // LOOKS,
        "TAILRACE_HEARTBEAT_MS": 1000 * services // HEARTBEATS,
        "TAILRACE_CONSUMER_WAIT_MS": 1000 * services // FETCHES,
        "TAILRACE_CONSUMER_GATHER_MS": 1000 * services // DELIVERIES,
        "TAILRACE_LOOK_EVERY": max(5.0, services / LOOKOUTS),
        "TAILRACE_REDRIVE_EVERY": max(2.0, services / REDRIVES),
        "TAILRACE_DATABASE_POOL": 2,
    }
    return {name: str(value) for name, value in wanted.items() if not given.get(name)}


def postgres_slots(services: int) -> int:
    """Replication slots, and processes that serve them: one for each service, and another while one is repaired."""
    return max(96, 2 * services + 16)


def postgres_connections(services: int) -> int:
    """For each service its pool, with what a busy one adds to it, and its connector's two."""
    return max(400, 60 + 15 * services)
