"""What it costs for each record that Kafka is locked: `python -m measure.locks --report docs/reports` puts it into the last report.

A broker of its own has three listeners: an open one, one for SCRAM, and one for SCRAM and TLS. Records are written, in fifties, and read, by a user
with rights of its own; the ways are taken in turn. What is counted is the CPU time of the broker, and of this process, which is the client.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from authority import HOST, Authority

from measure import report
from tailrace.core.addresses.kafka import BROKER, OPERATOR, KafkaAddress
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace.runtime.access import Right
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Ports

RECORDS, AT_ONCE, ROUNDS = 10_000, 50, 5
RECORD = os.urandom(450).hex().encode()[:600]
USER, PASSWORD = "measured", "of-a-measurement"
OPEN, LOCKED, ENCRYPTED = "open", "SCRAM and lists of rights", "the same with TLS"
Cost = dict[str, dict[str, float]]


async def measure(folder: Path) -> Cost:
    """Microseconds of CPU for each record that is written and read, by way."""
    authority, ports = Authority(folder, "ours"), Ports.free()
    scram = "SCRAM-SHA-512"
    addresses = {
        OPEN: f"{HOST}:{ports.base + 5}",
        LOCKED: KafkaAddress(f"{HOST}:{ports.kafka}", "sasl_plaintext", USER, PASSWORD).text(),
        ENCRYPTED: KafkaAddress(f"{HOST}:{ports.base + 6}", "sasl_ssl", USER, PASSWORD, ca=str(authority.file)).text(),
    }
    at = {"CLIENT": ports.kafka, "CONTROLLER": ports.controller, "OPEN": ports.base + 5, "TLS": ports.base + 6}
    listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in at.items())
    protocols = "CONTROLLER:SASL_PLAINTEXT,CLIENT:SASL_PLAINTEXT,OPEN:PLAINTEXT,TLS:SASL_SSL"
    broker = {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": protocols,
        "super.users": f"User:{BROKER};User:{OPERATOR};User:ANONYMOUS",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.certify("broker")),
        "listener.name.tls.sasl.enabled.mechanisms": scram,
        "listener.name.tls.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    }
    stack = Stack(folder / "data", only="kafka", ports=ports, broker=broker)
    try:
        async with stack:
            await create_topics(stack.kafka, [USER], 6, 1)
            await asyncio.to_thread(access.set_password, stack.kafka, USER, PASSWORD)
            rights = [Right(USER, "READ", "TOPIC", USER), Right(USER, "WRITE", "TOPIC", USER)]
            await asyncio.to_thread(access.grant, stack.kafka, rights)
            return await _in_turn(addresses, psutil.Process(stack.pids()["kafka"]))
    finally:
        stack.discard()


async def _in_turn(addresses: dict[str, str], broker: psutil.Process) -> Cost:
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in addresses}
    for number in range(ROUNDS + 1):
        for way, address in addresses.items():
            before, own = _used(broker), time.process_time()
            await _write_and_read(address)
            if number:  # the first is slow
                found[way].append((_used(broker) - before, time.process_time() - own))
    return {
        way: {
            name: round(statistics.median(each[part] for each in rounds) / RECORDS * 1e6, 1)
            for part, name in enumerate(("broker", "client"))
        }
        for way, rounds in found.items()
    }


async def _write_and_read(address: str) -> None:
    async with clients.consumer(address, USER, start="latest") as consumer:
        for each in consumer.assignment():
            await consumer.position(each)
        async with clients.producer(address) as producer:
            for _ in range(RECORDS // AT_ONCE):
                sent = [await producer.send(USER, RECORD) for _ in range(AT_ONCE)]
                await asyncio.gather(*sent)
        left = RECORDS
        while left > 0:
            left -= sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="the folder of the bench.json and bench.md that it goes into")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tailrace-locks-") as folder:
        Path(folder).chmod(0o755)
        cost = asyncio.run(measure(Path(folder)))
    for way, each in cost.items():
        print(f"{way}: {each['broker']:.0f} µs of the broker and {each['client']:.0f} of the client", flush=True)
    if asked.report is not None:
        document: dict[str, Any] = json.loads((asked.report / "bench.json").read_text())
        report.save(asked.report, {**document, "locks": cost})


if __name__ == "__main__":
    main()
