"""Samples of what is published are the same read in one step, as consumers read them, and by way of a dictionary."""

import json
from pathlib import Path

from tailrace.runtime.fleet import load_services

SAMPLES = Path(__file__).parents[2] / "contracts/samples"


def test_an_event_is_the_same_read_in_one_step() -> None:
    """JSON is taken more strictly, and dates and numbers by other ways, where no objects stand between."""
    read = 0
    for event in [event for service in load_services() for event in service.publishes]:
        for path in (SAMPLES / event.type).glob(f"v{event.version}-*.json"):
            data, read = path.read_bytes(), read + 1
            assert event.model_validate_json(data) == event.read(event.version, json.loads(data)), path
    assert read > 300
