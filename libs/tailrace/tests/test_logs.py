"""What a service's log must not be flooded with."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog

from tailrace.observability import logs


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure("test", "WARNING")
    yield capsys
    root.handlers[:] = before
    root.setLevel(level)


def _events(lines: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    said = [json.loads(line) for line in lines.readouterr().out.splitlines()]
    return [(line["event"], line.get("left_out", 0)) for line in said]


def test_a_client_that_cannot_reach_its_broker_says_so_once_in_a_while(
    lines: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    library = logging.getLogger("aiokafka.cluster")
    for _ in range(100):
        library.error("Unable connect to node with id %s", 1)
        library.error("Unable connect to node with id %s", 2)
    clock[0] += 31
    library.error("Unable connect to node with id %s", 1)
    once = "Unable connect to node with id "
    assert _events(lines) == [(once + "1", 0), (once + "2", 0), (once + "1", 99)]


def test_what_others_say_twice_is_written_twice(lines: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        logging.getLogger("asyncio").error("Task was destroyed")
        logs.log.error("dead letter", type="order.confirmed")
    assert [event for event, _ in _events(lines)] == ["Task was destroyed", "dead letter"] * 2


def test_the_line_of_a_request_is_what_anything_else_would_write(lines: pytest.CaptureFixture[str]) -> None:
    logs.said("request", path="/v1/é", status=200)
    assert _events(lines) == []
    logs.configure("test", "INFO")
    tenant = uuid4()
    with structlog.contextvars.bound_contextvars(request_id="r", trace_id="another's"):
        logs.said("request", tenant=tenant, path="/v1/é", status=200, trace_id=None)
    with structlog.contextvars.bound_contextvars(request_id="r"):
        logs.log.info("request", tenant=str(tenant), path="/v1/é", status=200)
    quick, usual = (json.loads(line) for line in lines.readouterr().out.splitlines())
    assert [datetime.fromisoformat(line.pop("timestamp")).tzinfo for line in (quick, usual)] == [UTC, UTC]
    assert quick == usual
