"""Dead letters are reported unasked: by the health answer, and by the log as long as there are any."""

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from structlog.testing import capture_logs
from toy import Asked

from tailrace.core.ids import uuid7
from tailrace.redrive.reminder import remind_forever
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually


async def _health(toy: Harness) -> tuple[int, Any]:
    answer = await toy.anonymous().get("/health/ready")
    return answer.status_code, answer.json()


async def test_ready_stays_ready_and_counts_the_dead_letters(toy: Harness) -> None:
    assert await _health(toy) == (200, {"status": "ready", "dead_letters": 0})
    key = uuid7()
    for words in ("poison", "behind", "behind"):
        await toy.deliver(Asked(key=key, text=words), aggregate_id=key, may_dead_letter=True)
    code, said = await _health(toy)
    assert (code, said["status"], said["dead_letters"], said["dead_letter_kinds"]) == (
        200,
        "ready",
        3,
        {"behind": 2, "failed": 1},
    )
    oldest = await toy.admin.fetchval("SELECT min(dead_lettered_at) FROM dead_letter")
    assert datetime.fromisoformat(said["dead_letters_since"]) == oldest.replace(microsecond=0)


async def test_without_a_place_of_its_consumer_it_is_not_ready(toy: Harness) -> None:
    toy.app.state.consumer = SimpleNamespace(ready=asyncio.Event(), waiting_for="Kafka: away", backfilling={})
    assert await _health(toy) == (503, {"status": "waiting", "for": {"consumer": "Kafka: away"}, "dead_letters": 0})
    toy.app.state.consumer.ready.set()
    assert await _health(toy) == (200, {"status": "ready", "dead_letters": 0, "consumer": "Kafka: away"})


async def test_without_its_tables_it_is_not_ready(toy: Harness) -> None:
    await toy.admin.execute("DROP TABLE dead_letter")
    code, said = await _health(toy)
    assert (code, "database" in said["for"]) == (503, True)


async def test_the_log_reminds_while_there_are_dead_letters_and_no_longer(toy: Harness) -> None:
    stop = asyncio.Event()
    with capture_logs() as lines:
        reminding = asyncio.create_task(remind_forever("toy", toy.database, stop, every=0.02))

        async def reminders() -> int:
            return sum(line["event"] == "dead letters wait" for line in lines)

        key = uuid7()
        await toy.deliver(Asked(key=key, text="poison"), aggregate_id=key, may_dead_letter=True)
        await eventually(reminders, lambda count: count >= 2, what="two reminders")
        (line, *_) = (line for line in lines if line["event"] == "dead letters wait")
        assert (line["dead_letters"], line["dead_letter_kinds"], line["log_level"]) == (1, {"failed": 1}, "warning")
        assert line["see"] == "tailrace dlq list --service toy"
        assert [line["kind"] for line in lines if line["event"] == "dead letter"] == ["failed"]
        await toy.admin.execute("DELETE FROM dead_letter")
        before = await reminders()
        stop.set()
        await reminding
        assert await reminders() - before <= 1
