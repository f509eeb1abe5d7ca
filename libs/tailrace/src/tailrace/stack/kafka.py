"""Kafka as a child: one broker in KRaft mode that is its own controller, with topics made on purpose only.

Facts are kept for ever; nothing is created by a typing error, since the broker makes no topic by itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tailrace.stack.child import Program
from tailrace.stack.errand import run_tool
from tailrace.stack.errors import StackError
from tailrace.stack.java import Machine
from tailrace.stack.layout import HOST, Ports

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

FOR_EVER = {"retention.ms": "-1"}
CLUSTER = "dGFpbHJhY2UtbG9jYWwtMQ"
"""A cluster id as Kafka wants it: 16 bytes in URL-safe base64."""


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
        """Prepare the log folder unless that was done; says whether it did. Raises `StackError`."""
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


async def answers(bootstrap: str) -> bool:
    """Whether a broker is there and knows of itself."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))  # cheap, and silent while nobody listens
    writer.close()
    from aiokafka.errors import KafkaError

    from tailrace import kafka_clients

    client = kafka_clients.probe(bootstrap, within_ms=2000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers()) > 0
    except KafkaError:
        return False
    finally:
        await client.close()


async def create_topics(
    bootstrap: str,
    topics: Iterable[str],
    partitions: int,
    replication: int,
    say: Callable[[str], None] = lambda text: None,
    settings: Mapping[str, str] = FOR_EVER,
) -> list[str]:
    """Create those that are missing, kept for ever unless `settings` say otherwise, and return their names. Raises `StackError`."""
    from aiokafka.admin import NewTopic
    from aiokafka.errors import for_code

    from tailrace import kafka_clients

    admin = kafka_clients.admin(bootstrap)
    await admin.start()
    try:
        missing = sorted(set(topics) - set(await admin.list_topics()))
        if missing:
            say(f"creating {len(missing)}")
            new = [NewTopic(name, partitions, replication, topic_configs=dict(settings)) for name in missing]
            answer = await admin.create_topics(new)
            for name, code, *reason in answer.topic_errors:
                if code not in (0, 36):  # 36: another process was first
                    raise StackError(
                        f"cannot create topic {name}: {for_code(code).__name__} {reason}", "see the log of kafka"
                    )
        return missing
    finally:
        await admin.close()
