"""Kafka as a child: one broker in KRaft mode that is its own controller, with topics made on purpose only.

Events are kept for ever; nothing is created by a typing error, since the broker creates no topic on its own.
"""

from dataclasses import dataclass
from pathlib import Path

from tailrace.kafka.topics import answers
from tailrace.stack.child import Program
from tailrace.stack.errand import run_tool
from tailrace.stack.java import Machine
from tailrace.stack.layout import HOST, Ports

CLUSTER = "dGFpbHJhY2UtbG9jYWwtMQ"
"""A cluster id as Kafka wants it: 16 bytes in URL-safe base64."""

CONFIGURATION = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=6
log.retention.ms=-1
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=8388608
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=525600
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
num.network.threads=2
num.io.threads=4
background.threads=4
"""


@dataclass(frozen=True)
class Kafka:
    machine: Machine
    data: Path
    ports: Ports

    @property
    def configuration(self) -> Path:
        return self.machine.folder / "server.properties"

    def configure(self) -> None:
        self.configuration.write_text(
            CONFIGURATION.format(host=HOST, broker=self.ports.kafka, controller=self.ports.controller, data=self.data)
        )

    async def format(self) -> bool:
        """Prepare the log folder unless that was done; says whether it did. Raises `OperatorError`."""
        self.configure()
        if (self.data / "meta.properties").exists():
            return False
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        argv = self.machine.argv(
            "format", "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self.configuration), "--standalone"
        )
        await run_tool(argv, self.machine.environment)
        return True

    def program(self) -> Program:
        return Program(
            name="kafka",
            argv=self.machine.argv("kafka", "kafka.Kafka", str(self.configuration), heap="384m"),
            ready=self._ready,
            port=self.ports.kafka,
            environment=self.machine.environment,
        )

    async def _ready(self, _pid: int) -> bool:
        return await answers(f"{HOST}:{self.ports.kafka}")
