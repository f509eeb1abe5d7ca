"""Kafka Connect with Debezium as a child.

Recovery is quick on purpose: a lost worker's tasks are given out again at once, and offsets are flushed every second. The
REST interface listens on the loopback interface only, since a client that reaches it reads every database.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tailrace.capture.connect_api import Rest
from tailrace.kafka.topics import answers
from tailrace.stack.child import Program
from tailrace.stack.java import Machine
from tailrace.stack.layout import HOST, Ports

CONFIGURATION = """\
bootstrap.servers={kafka}
group.id=tailrace-connect
listeners=HTTP://{host}:{port}
rest.advertised.host.name={host}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.topic=connect.offsets
config.storage.topic=connect.configs
status.storage.topic=connect.status
offset.storage.replication.factor=1
config.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=4
status.storage.partitions=2
offset.flush.interval.ms=1000
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=8000
heartbeat.interval.ms=5000
rebalance.timeout.ms=10000
task.shutdown.graceful.timeout.ms=3000
worker.sync.timeout.ms=2000
plugin.path={plugins}
plugin.discovery=service_load
connector.client.config.override.policy=All
producer.linger.ms=0
producer.delivery.timeout.ms=120000
"""


@dataclass(frozen=True)
class Connect:
    machine: Machine
    kafka: str
    plugins: Path
    ports: Ports

    def program(self) -> Program:
        file = self.machine.folder / "connect.properties"
        file.write_text(
            CONFIGURATION.format(host=HOST, port=self.ports.connect, kafka=self.kafka, plugins=self.plugins)
        )
        return Program(
            name="connect",
            argv=self.machine.argv(
                "connect", "org.apache.kafka.connect.cli.ConnectDistributed", str(file), heap="512m"
            ),
            ready=self._ready,
            alive=self._alive,
            port=self.ports.connect,
            environment=self.machine.environment,
        )

    async def _ready(self, _pid: int) -> bool:
        async with Rest(f"http://{HOST}:{self.ports.connect}") as rest:
            return await rest.healthy()

    async def _alive(self) -> bool:
        """Its REST interface may hang while everything else of it goes on. Without a broker it cannot be well, and is left alone."""
        if await self._ready(0):
            return True
        with contextlib.suppress(OSError, TimeoutError):
            return not await answers(self.kafka)
        return True
