"""Kafka Connect with Debezium as a child: one worker, alone or of a group.

Recovery is quick on purpose: a lost worker's tasks are given out again at once, and offsets are flushed every second. The
REST interface asks for the operator's password, and listens on the loopback interface only, since a client that reaches it reads every database.
Passwords of databases are looked up in files, so that the topic of configurations holds none.
"""

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tailrace.capture.connect_api import Rest
from tailrace.core.addresses.kafka import CONNECT_GROUP, OAUTHBEARER, KafkaAddress
from tailrace.core.private_files import write_private
from tailrace.kafka.topics import answers
from tailrace.stack.child import Program
from tailrace.stack.java import Machine
from tailrace.stack.kafka import PLAIN_LOGIN, SCRAM_LOGIN
from tailrace.stack.layout import Ports, host_of

CONFIGURATION = """\
bootstrap.servers={kafka}
{logins}
rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
config.providers=directory
config.providers.directory.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.directory.param.allowed.paths={secrets}
group.id={group}
listeners=HTTP://{host}:{port}
rest.advertised.host.name={host}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.topic=connect.offsets
config.storage.topic=connect.configs
status.storage.topic=connect.status
offset.storage.replication.factor=-1
config.storage.replication.factor=-1
status.storage.replication.factor=-1
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
_OAUTH = "org.apache.kafka.common.security.oauthbearer"
OAUTH_LOGIN = f"{_OAUTH}.OAuthBearerLoginModule required"
REST_LOGIN = """\
KafkaConnect {{
  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file="{file}";
}};
"""


@dataclass(frozen=True)
class Connect:
    machine: Machine
    kafka: str = field(repr=False)
    """The address for Connect's own user."""
    rest: str = field(repr=False)
    """The address of the REST interface, with the credentials that it asks for."""
    plugins: Path
    secrets: Path
    """The folder of the passwords that configurations refer to."""
    ports: Ports
    number: int = 0
    """Among several workers, counted from 1, each with a machine's folder and a loopback address of its own; 0 for the only one."""

    def program(self) -> Program:
        folder, kafka = self.machine.folder, KafkaAddress.parse(self.kafka)
        file, login, users = folder / "connect.properties", folder / "connect.jaas", folder / "connect.users"
        # The worker, and what it makes for connectors: producers, consumers, the client that creates topics.
        reached = java_settings(kafka)
        logins = "".join(
            f"{whose}{name}={value}\n"
            for whose in ("", "producer.", "consumer.", "admin.")
            for name, value in reached.items()
        )
        text = CONFIGURATION.format(
            host=host_of(max(1, self.number)),
            port=self.ports.connect,
            kafka=kafka.brokers,
            plugins=self.plugins,
            secrets=self.secrets,
            logins=logins,
            group=CONNECT_GROUP,
        )
        write_private(file, text)
        write_private(login, REST_LOGIN.format(file=users))
        rest = urlsplit(self.rest)
        write_private(users, f"{rest.username}={rest.password}\n")
        return Program(
            name=f"connect-{self.number}" if self.number else "connect",
            argv=self.machine.argv(
                "connect",
                "org.apache.kafka.connect.cli.ConnectDistributed",
                str(file),
                heap="512m",
                properties={"java.security.auth.login.config": str(login), **java_properties(kafka)},
            ),
            ready=self._ready,
            alive=self._alive,
            port=self.ports.connect,
            environment=self.machine.environment,
        )

    async def _ready(self, _pid: int) -> bool:
        async with Rest(self.rest) as rest:
            return await rest.healthy()

    async def _alive(self) -> bool:
        """Its REST interface may hang while everything else of it goes on. Without a broker it cannot be well, and is left alone."""
        if await self._ready(0):
            return True
        with contextlib.suppress(OSError, TimeoutError):
            return not await answers(self.kafka)
        return True


def java_settings(kafka: KafkaAddress) -> dict[str, str]:
    """How a Java client reaches Kafka; nothing where it is open. Raises OSError for certificates that cannot be read."""
    if kafka.protocol == "plaintext":
        return {}
    settings = {"security.protocol": kafka.protocol.upper()}
    if kafka.ca is not None:
        settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": kafka.ca}
    if kafka.cert is not None:
        settings |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": _blocks(Path(kafka.cert), "CERTIFICATE"),
            "ssl.keystore.key": _blocks(Path(kafka.key or kafka.cert), "PRIVATE KEY"),
        }
    if kafka.user is None:
        return settings
    settings["sasl.mechanism"] = kafka.mechanism
    if kafka.mechanism != OAUTHBEARER:
        module = PLAIN_LOGIN if kafka.mechanism == "PLAIN" else SCRAM_LOGIN
        return settings | {"sasl.jaas.config": f'{module} username="{kafka.user}" password="{kafka.password}";'}
    scope = f' scope="{kafka.scope}"' if kafka.scope else ""
    login = f'{OAUTH_LOGIN} clientId="{kafka.user}" clientSecret="{kafka.password}"{scope};'
    return settings | {
        "sasl.jaas.config": login,
        "sasl.login.callback.handler.class": f"{_OAUTH}.OAuthBearerLoginCallbackHandler",
        "sasl.oauthbearer.token.endpoint.url": str(kafka.token_url),
    }


def java_properties(kafka: KafkaAddress) -> dict[str, str]:
    """What the Java that runs such a client has to be started with: it asks no address for tokens that it was not told of."""
    return {"org.apache.kafka.sasl.oauthbearer.allowed.urls": kafka.token_url} if kafka.token_url else {}


def _blocks(path: Path, kind: str) -> str:
    """Those of a file in PEM, as one line of a file of properties."""
    found = re.findall(f"-----BEGIN {kind}-----.*?-----END {kind}-----", path.read_text(), re.DOTALL)
    return "\\n".join("\\n".join(block.splitlines()) for block in found)
