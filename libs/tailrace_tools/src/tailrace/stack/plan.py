"""What one stack consists of: its folder, its ports, which parts it starts itself and which it finds elsewhere."""

import base64
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tailrace.core.addresses.kafka import OPERATOR, brokers_of
from tailrace.core.installed import EDGE, ISSUERS, installed, stand_ins
from tailrace.runtime import sizing
from tailrace.settings import Settings
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import HOST, Layout, Ports

SMTP = "smtp"
"""What the mail server is called among the partners."""
Only = Literal["postgres", "kafka", "stack", "fleet"]
"""How far to go: PostgreSQL alone; with Kafka; with Connect too; with databases, topics, connectors and the services too."""
PARTS: Mapping[Only, Sequence[str]] = {
    "postgres": ("postgres",),
    "kafka": ("postgres", "kafka"),
    "stack": ("postgres", "kafka", "connect"),
    "fleet": ("postgres", "kafka", "connect", "fleet"),
}
"""What runs then, in the order of starting."""


@dataclass(frozen=True)
class External:
    """Addresses of parts that run elsewhere; None means that the stack runs its own."""

    postgres: str | None = None
    kafka: str | None = None
    connect: str | None = None

    @classmethod
    def from_environment(cls) -> "External":
        read = os.environ.get
        return cls(read("TAILRACE_POSTGRES"), read("TAILRACE_KAFKA"), read("TAILRACE_CONNECT"))


@dataclass(frozen=True)
class Plan:
    layout: Layout
    ports: Ports
    only: Only = "fleet"
    external: External = field(default_factory=External)
    extra: dict[str, str] = field(default_factory=dict)
    """More environment for the fleet, over everything else."""
    durable: bool = True
    """Whether PostgreSQL's data is to survive a power failure. Without, it survives the death of any process, as before."""
    broker: Mapping[str, str] = field(default_factory=dict)
    """Further settings of its Kafka, over its own: other listeners, for instance."""

    @property
    def own(self) -> list[str]:
        """The parts that this stack starts, in order."""
        given = {"postgres": self.external.postgres, "kafka": self.external.kafka, "connect": self.external.connect}
        return [name for name in PARTS[self.only] if given.get(name) is None]

    def listeners(self) -> dict[str, int]:
        """Every port that this stack will listen on, by the name of what listens."""
        known = {"postgres": self.ports.postgres, "kafka": self.ports.kafka, "connect": self.ports.connect}
        mine = {name: port for name, port in known.items() if name in self.own}
        if "kafka" in mine:
            mine["kafka controller"] = self.ports.controller
        return mine | (self.ports.services if "fleet" in self.own else {})

    def postgres_url(self, credentials: Credentials) -> str:
        """Of the superuser."""
        return (
            self.external.postgres
            or f"postgresql://postgres:{credentials.postgres}@{HOST}:{self.ports.postgres}/postgres"
        )

    @property
    def services_kafka(self) -> str:
        """Kafka's address for the services, each of which puts its own user in."""
        return self.external.kafka or f"sasl_plaintext://{HOST}:{self.ports.kafka}"

    def kafka(self, credentials: Credentials) -> str:
        """Kafka's address for the operator."""
        return self.kafka_as(OPERATOR, credentials)

    def kafka_as(self, user: str, credentials: Credentials) -> str:
        """Kafka's address for a user of the installation's own."""
        own = os.environ.get("TAILRACE_KAFKA_OPERATOR", "") if self.external.kafka else ""
        found = Settings(kafka=self.services_kafka, kafka_operator=own, secret=credentials.secret, kafka_password=None)
        return found.as_kafka_user(user).kafka

    def connect_url(self, credentials: Credentials) -> str:
        """Connect's address, with the operator's credentials."""
        return self.external.connect or f"http://{OPERATOR}:{credentials.connect}@{HOST}:{self.ports.connect}"

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def keys_url(self) -> str:
        """Where the issuer of tokens publishes its keys: asked directly, so that the edge need not ask itself."""
        return f"{self.issuer_url}/.well-known/jwks.json"

    def _partners(self, credentials: Credentials) -> dict[str, str]:
        """Where services find their partners, and what these sign by: the stand-ins here, unless the environment says otherwise."""
        here = {
            name: f"{HOST}:{self.ports.services[own]}"
            for name, own in stand_ins().items()
            if own in self.ports.services
        }
        signs = {name: f"PARTNER_SECRET_{name.upper()}_CALLBACKS" for name in sorted(here) if name != SMTP}
        partners = {
            name: {"url": f"http://{here[name]}/{name}", "callbacks": f"env:{variable}"}
            for name, variable in signs.items()
        }
        if SMTP in here:
            here[SMTP] = f"{HOST}:{self.ports.mail}"
            partners[SMTP] = {"url": f"smtp://{here[SMTP]}", "sender": "no-reply@tailrace.example"}
        own = {
            "TAILRACE_PARTNERS": json.dumps(partners),
            "TAILRACE_ERRANDS_ALLOW": json.dumps(sorted(set(here.values()))),
            **{variable: signing_secret(credentials.secret, name) for name, variable in signs.items()},
        }
        return {name: os.environ.get(name) or value for name, value in own.items()}

    @property
    def issuer(self) -> str | None:
        """The service that issues tokens, if it is one of these."""
        return next((name for name in installed(ISSUERS) if name in self.ports.services), None)

    @property
    def issuer_url(self) -> str:
        """Its address; without one, the edge's."""
        return f"http://{HOST}:{self.ports.services[self.issuer] if self.issuer else self.ports.gateway}"

    def addresses(self) -> dict[str, str]:
        """What to show: names and addresses, without passwords."""
        server = (self.external.postgres or f"//{HOST}:{self.ports.postgres}/").rpartition("@")[2].strip("/")
        connect = (self.external.connect or f"//{HOST}:{self.ports.connect}").rpartition("//")[2].rpartition("@")[2]
        shown = {"PostgreSQL": server, "Kafka": brokers_of(self.services_kafka), "Connect": f"http://{connect}"}
        shown = dict(list(shown.items())[: {"postgres": 1, "kafka": 2}.get(self.only)])
        return {"Gateway": self.gateway_url, **shown} if self.only == "fleet" else shown

    def environment(self, credentials: Credentials) -> dict[str, str]:
        """The `TAILRACE_…` variables with which a process of the fleet finds everything."""
        own = {
            "TAILRACE_DATA": str(self.layout.data),
            "TAILRACE_PORT_BASE": str(self.ports.base),
            "TAILRACE_GATEWAY_PORT": str(self.ports.gateway),
            "TAILRACE_POSTGRES": self.postgres_url(credentials),
            "TAILRACE_KAFKA": self.kafka(credentials),
            "TAILRACE_CONNECT": self.connect_url(credentials),
            "TAILRACE_SECRET": credentials.secret,
            "TAILRACE_OPERATOR_PASSWORD": credentials.operator,
            "TAILRACE_PORTS": json.dumps(self.ports.services),
            "TAILRACE_JWKS_URL": os.environ.get("TAILRACE_JWKS_URL") or self.keys_url,
            **self._partners(credentials),
        }
        if self.external.connect is None:
            own["TAILRACE_CAPTURE_SECRETS"] = str(self.layout.capture_secrets)
        return {**sizing.environment(len(self.ports.services), os.environ), **own, **self.extra}

    def fleet_environment(self, credentials: Credentials) -> dict[str, str]:
        """The same for the services, none of which is the operator at Kafka or at Connect."""
        own = {"TAILRACE_KAFKA": self.services_kafka, "TAILRACE_CONNECT": ""}
        return {**self.environment(credentials), **own, **self.extra}


def signing_secret(secret: str, partner: str) -> str:
    """What a stand-in signs its callbacks by, as Standard Webhooks writes it: derived, so that nothing needs to be stored."""
    key = hmac.digest(secret.encode(), f"callbacks:{partner}".encode(), "sha256")
    return f"whsec_{base64.b64encode(key).decode()}"


def service_names() -> list[str]:
    """The services installed beside this package, without importing them."""
    return installed()


def edge_names() -> list[str]:
    """Those of them that face the world."""
    return installed(EDGE)


def counted_ports(layout: Layout) -> Ports:
    """The ports that the environment asks for, of every installed service; none is another than the last time."""
    base = int(os.environ.get("TAILRACE_PORT_BASE") or 8100)
    edge = int(os.environ.get("TAILRACE_GATEWAY_PORT") or 8000)
    return Ports.counted(base, edge, service_names(), edge_names(), layout.known_places())
