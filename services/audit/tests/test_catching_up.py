"""How quickly the log takes in what has piled up, on a real PostgreSQL, in batches as the consumer hands them over.

With AUDIT_EVENTS=100000 it prints what that takes: `python -m pytest -q -s -n0 services/audit/tests/test_catching_up.py`.
"""

import os
import time
from random import Random

from scribe import AT, Scribe

from tailrace.core.ids import uuid7
from tailrace.messaging.backfill import most_at_once
from tailrace.settings import Settings

EVENTS = int(os.environ.get("AUDIT_EVENTS", "5000"))
BATCH = int(os.environ.get("AUDIT_BATCH", "2000"))
PER_SECOND = 10_000
ROOM = 6
"""A machine that is shared, and slower than the one that figures are from, may take so many times as long."""


async def test_what_has_piled_up_is_taken_in(scribe: Scribe) -> None:
    dice, documents = Random(5), [uuid7() for _ in range(max(50, EVENTS // 6))]
    said = {"order_id": "x" * 36, "lines": [{"item": "y" * 36, "quantity": "12", "price": 1000}] * 3, "note": "z" * 80}
    records = [scribe.event("order.noted", dice.choice(documents), data=said) for _ in range(EVENTS)]
    began, cpu = time.perf_counter(), time.process_time()
    for begin in range(0, EVENTS, BATCH):
        await scribe.h.dispatcher.deliver(records[begin : begin + BATCH])
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert (await scribe.get(AT))["size"] == EVENTS
    began = time.perf_counter()
    await scribe.sign()
    signed = time.perf_counter() - began
    print(
        f"\n{EVENTS:,} events in batches of {BATCH}: {wall:.2f} s, {EVENTS / wall:,.0f}/s;"
        f" {cpu / EVENTS * 1e6:.0f} µs of this process each; a head over {len(documents):,} documents: {signed * 1000:.0f} ms"
    )
    assert cpu < EVENTS / PER_SECOND * ROOM


async def test_a_transaction_takes_what_a_journal_may(scribe: Scribe) -> None:
    settings, dispatcher = Settings(consumer_batch=5, journal_batch=7, reaction_batch=3), scribe.h.dispatcher
    assert most_at_once(settings, reacts=dispatcher.reacts, keeps=dispatcher.keeps) == 7
    assert most_at_once(settings, reacts=False, keeps=False) == 5
    assert most_at_once(settings, reacts=True, keeps=True) == 3, "reactions hold locks that people wait for"
