"""Kafka as a child: a broker in KRaft mode that is a controller too, alone or one of several, with topics made on purpose only.

Events are kept for ever; nothing is created by a typing error, since the broker creates no topic on its own.

It is locked from its first start on: every client logs in by SCRAM, and does what an access control list lets it do. The users of the stack itself
are part of what the log folder is formatted with, so there is no time at which anybody may do anything; those of the services come by
`tailrace.runtime.access`. Between broker and controller, where KRaft knows no SCRAM, it is PLAIN, on the loopback interface. No password
stands on a command line.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.core.addresses.kafka import BROKER, CONNECT, OPERATOR
from tailrace.core.operator_error import OperatorError
from tailrace.core.private_files import write_private
from tailrace.kafka.topics import answers
from tailrace.stack.child import Program
from tailrace.stack.credentials import Credentials
from tailrace.stack.errand import run_tool
from tailrace.stack.java import Machine
from tailrace.stack.layout import Ports, host_of

CLUSTER = "dGFpbHJhY2UtbG9jYWwtMQ"
"""A cluster id as Kafka wants it: 16 bytes in URL-safe base64."""
COPIES = 3
"""Of each partition, where there are as many brokers; a record then counts as written when two have it."""

CONFIGURATION = """\
process.roles=broker,controller
node.id={number}
controller.quorum.bootstrap.servers={voters}
listeners=CLIENT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{broker},CONTROLLER://{host}:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,CLIENT:SASL_PLAINTEXT
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config={scram} username="{user}" password="{password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} username="{user}" password="{password}" user_{user}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{user};User:{operator}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=6
log.retention.ms=-1
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=8388608
default.replication.factor={copies}
min.insync.replicas={insync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
offsets.retention.minutes=525600
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={insync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={insync}
share.coordinator.state.topic.num.partitions=4
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
num.network.threads=2
num.io.threads=4
background.threads=4
"""
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True)
class Kafka:
    """One broker. Of several each has a machine's folder, data and loopback address of its own, and all have the same ports."""

    machine: Machine
    data: Path
    ports: Ports
    address: str = field(repr=False)
    """Of this broker, for the operator."""
    credentials: Credentials = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict)
    """Further settings, over those above."""
    number: int = 1
    brokers: int = 1
    """How many there are, all of which are controllers."""

    @property
    def configuration(self) -> Path:
        return self.machine.folder / "server.properties"

    def configure(self) -> None:
        text = CONFIGURATION.format(
            host=host_of(self.number),
            number=self.number,
            voters=",".join(f"{host_of(each)}:{self.ports.controller}" for each in self._all),
            copies=min(COPIES, self.brokers),
            insync=2 if self.brokers >= COPIES else 1,
            broker=self.ports.kafka,
            controller=self.ports.controller,
            data=self.data,
            user=BROKER,
            password=self.credentials.kafka(BROKER),
            operator=OPERATOR,
            scram=SCRAM_LOGIN,
            plain=PLAIN_LOGIN,
        )
        write_private(self.configuration, text + "".join(f"{name}={value}\n" for name, value in self.more.items()))

    @property
    def users(self) -> Path:
        """What the log folder was formatted with. Those of an earlier release had no users."""
        return self.machine.folder / "kafka.users"

    async def format(self) -> bool:
        """Prepare the log folder unless that was done; says whether it did. Raises `OperatorError`."""
        self.configure()
        if (self.data / "meta.properties").exists():
            if not self.users.exists():
                raise OperatorError(
                    f"Kafka's data in {self.data} is from a release without users, and nobody could log in",
                    "give up the data: delete the data folder",
                )
            return False
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        users = (BROKER, OPERATOR, CONNECT)
        scram = [f"SCRAM-SHA-512=[name={user},password={self.credentials.kafka(user)}]" for user in users]
        # One argument a line; the tool reads them from the file, so that no list of processes shows a password.
        arguments = ["format", "-t", CLUSTER, "-c", str(self.configuration), *self._controllers()]
        write_private(self.users, "\n".join([*arguments, *(word for each in scram for word in ("--add-scram", each))]))
        await run_tool(
            self.machine.argv("format", "kafka.tools.StorageTool", f"@{self.users}"), self.machine.environment
        )
        return True

    @property
    def _all(self) -> range:
        return range(1, self.brokers + 1)

    def _controllers(self) -> list[str]:
        """Who begins the quorum, as the tool wants it: each is named with an id of its log folder."""
        if self.brokers == 1:
            return ["--standalone"]
        ids = {
            each: base64.urlsafe_b64encode(f"tailrace-node-{each:02}".encode()).decode().rstrip("=")
            for each in self._all
        }
        named = [f"{each}@{host_of(each)}:{self.ports.controller}:{id}" for each, id in ids.items()]
        return ["--initial-controllers", ",".join(named)]

    def program(self) -> Program:
        return Program(
            name="kafka" if self.brokers == 1 else f"kafka-{self.number}",
            argv=self.machine.argv("kafka", "kafka.Kafka", str(self.configuration), heap="384m"),
            ready=self._ready,
            port=self.ports.kafka,
            environment=self.machine.environment,
        )

    async def _ready(self, _pid: int) -> bool:
        return await answers(self.address)
