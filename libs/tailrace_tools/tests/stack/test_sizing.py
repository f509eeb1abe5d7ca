"""A fleet's settings follow its size, unless somebody set them."""

import pytest

from tailrace.runtime.sizing import environment, postgres_connections, postgres_slots
from tailrace.settings import Settings, settings_from

SIZED = (
    "poll_interval_ms",
    "heartbeat_ms",
    "consumer_wait_ms",
    "consumer_gather_ms",
    "look_every",
    "redrive_every",
    "database_pool",
)


@pytest.mark.parametrize("services", [0, 1, 8])
def test_a_small_fleet_has_the_defaults(services: int) -> None:
    sized, default = settings_from(environment(services, {})), Settings()
    assert {name: getattr(sized, name) for name in SIZED} == {name: getattr(default, name) for name in SIZED}


def test_forty_services_ask_no_more_often_than_eight() -> None:
    sized = settings_from(environment(40, {}))
    assert {name: getattr(sized, name) for name in SIZED} == {
        "poll_interval_ms": 200,
        "heartbeat_ms": 8000,
        "consumer_wait_ms": 2500,
        "consumer_gather_ms": 200,
        "look_every": 10,
        "redrive_every": 5,
        "database_pool": 2,
    }
    assert 40 / sized.poll_interval_ms <= 8 / Settings().poll_interval_ms


def test_what_was_set_stays() -> None:
    given = {"TAILRACE_POLL_INTERVAL_MS": "20"}
    assert environment(40, given).keys() == environment(40, {}).keys() - given.keys()


@pytest.mark.parametrize("services", [8, 40, 120])
def test_postgres_has_room_for_every_service_and_its_repair(services: int) -> None:
    settings = settings_from(environment(services, {}))
    assert postgres_slots(services) >= 2 * services
    assert postgres_connections(services) >= services * (settings.database_pool + settings.database_overflow + 2)
