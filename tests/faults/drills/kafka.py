"""`make drill DRILL=kafka`: Kafka is lost with all that it held, and filled again from the outboxes while readers keep their places by their marks.

A company trades; the broker dies, and its disk with it; orders go on being taken, which nobody can hear of. `tailrace up` on an empty Kafka has to
bring back every event that the outboxes retain, and every reader has to go on where its marks stand.
"""

import asyncio
import os
import shutil
import signal
import time

import way
from command import tailrace
from company import Company, dead_letters

from drills.stage import Figures, differences, doctor_is_red, folder_of_its_own, stack_in
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

SHIPPED, UNHEARD = 20, 5
"""Orders before the broker dies, and after."""
RED_WITHIN = 60.0


def main() -> None:
    figures = Figures()
    with folder_of_its_own("kafka") as folder:
        stack = stack_in(folder)
        stack.start()
        try:
            figures.say("a fleet runs")
            company = asyncio.run(_until_kafka_dies(stack, figures))
            stack.stop()
            began = time.monotonic()
            stack.start()
            figures.say(f"the stack is up on an empty Kafka after {time.monotonic() - began:.1f} s")
            asyncio.run(_goes_on(stack, company, figures, began))
        finally:
            stack.stop()
        stack.discard()
    figures.say("It came right.")


async def _until_kafka_dies(stack: Stack, figures: Figures) -> Company:
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        for number in range(SHIPPED):
            await company.ship((await company.order(1 + number % 7))["id"])
        await company.settled(stack)
        held = sum([len(await way.records(stack.kafka, str(service.topic))) for service in way.PUBLISHING])
        await eventually(lambda: tailrace(stack, "doctor"), lambda said: said[0] == 0, what="a doctor that is content")
        _lose_kafka(stack)
        figures.say(f"Kafka held {held} events, and is gone with its disk")
        took = await doctor_is_red(stack, lambda said: True, RED_WITHIN)
        figures.say(f"the doctor was red {took:.1f} s later")
        for _ in range(UNHEARD):
            await company.order(2)
        figures.say(f"{UNHEARD} orders were taken after that")
    return company


def _lose_kafka(stack: Stack) -> None:
    """It is stopped while its disk goes, or it would write on; started again it finds nothing, and does not run until it is set up once more."""
    pid = stack.pids()["kafka"]
    os.kill(pid, signal.SIGSTOP)
    shutil.rmtree(stack.plan.layout.data / "kafka")
    os.kill(pid, signal.SIGKILL)


async def _goes_on(stack: Stack, company: Company, figures: Figures, began: float) -> None:
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        await eventually(
            lambda: tailrace(stack, "doctor"), lambda said: said[0] == 0, within=300, what="a doctor that is content"
        )
        figures.say(f"the doctor is content {time.monotonic() - began:.1f} s after the start")
        back = 0
        for service in way.PUBLISHING:
            unheard, only_there = await differences(stack, service)
            assert (unheard, only_there) == (set(), set()), f"{service.name}: {len(unheard)} unheard, {only_there}"
            back += len(await way.records(stack.kafka, str(service.topic)))
        figures.say(
            f"an independent reader finds outboxes and topics equal: {back} records, none missing, none that no outbox has"
        )
        company.member = await gateway.log_in(company.member.slug, company.member.email)
        for order in list(company.accepted)[-UNHEARD:]:
            await company.ship(order)
        await company.ship((await company.order(3))["id"])
        await company.settled(stack)
        assert await dead_letters(stack, company) == []
        figures.say(f"all {len(company.accepted)} orders are shipped and booked, exactly once; no dead letter")


if __name__ == "__main__":
    main()
