"""Every setting of a Tailrace process, read from the environment (`TAILRACE_…`), with defaults for one machine."""

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlencode, urlsplit

from pydantic import AfterValidator, BaseModel, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from tailrace.core.addresses.database import tls_of
from tailrace.core.addresses.kafka import OAUTHBEARER, OPERATOR, KafkaAddress
from tailrace.core.values.mailboxes import sendable

Role = Literal["owner", "app", "capture"]


class PartnerAddress(BaseModel):
    """Where a partner is, and a reference to the secret that goes with each call (`tailrace.errands.secrets`)."""

    url: str
    secret: str | None = None
    callbacks: str | None = None
    """Of a partner that calls back: a reference to the secret by which it signs what it says (Standard Webhooks)."""
    user: str | None = None
    """Of a mail server: the name that goes with the secret, as its password."""
    sender: Annotated[str, AfterValidator(sendable)] | None = None
    """Of a mail server: the address that mail comes from, without a name beside it."""


class Settings(BaseSettings):
    """Addresses, secrets and limits. Times are in seconds unless the name says otherwise.

    The text below a setting is what the reference says of it.
    """

    model_config = SettingsConfigDict(env_prefix="TAILRACE_", extra="ignore", use_attribute_docstrings=True)

    data: Path = Path(".tailrace")
    """The data folder of the embedded stack."""
    port_base: int = 8100
    """The first port of the embedded stack: PostgreSQL, Kafka, its controller, Connect, and ten further on the services."""
    gateway_port: int = 8000
    """The gateway's port, the only one that faces the world."""

    postgres: str = "postgresql://postgres@127.0.0.1:8100/postgres"
    """Where PostgreSQL is: as a superuser to prepare databases; a service takes host, port and `sslmode` with
    `sslrootcert`, `sslcert` and `sslkey`, and logs in under a role of its own."""
    kafka: str = "127.0.0.1:8101"
    """The brokers, as `host:port`, separated by commas; where Kafka is locked, as in
    `sasl_ssl://user:password@broker:9092?ca=/etc/kafka/ca.pem` (`tailrace.core.addresses.kafka`). The services leave the user out."""
    kafka_operator: str = ""
    """Kafka's address for the operator, where that one logs in otherwise than the services do: on the first start, identity has no tokens yet."""
    kafka_password: SecretStr | None = None
    """The password of a service's own Kafka user, which has the service's name; without one it derives from the secret."""
    kafka_client_key: SecretStr | None = None
    """What the secrets derive from with which Kafka's clients ask identity for tokens (OAUTHBEARER), for identity in a cluster; without one it
    derives from the secret."""
    connect: str = "http://127.0.0.1:8103"
    """The REST interface of Kafka Connect; `http://user:password@…` where it asks for them."""
    capture_secrets: Path | None = None
    """A folder on this machine in which the Connect worker looks the passwords of the capture roles up, so that no connector's configuration
    holds one. Without it they stand in the configurations, in clear."""
    secret: str = Field(default="tailrace-development", min_length=8)
    """What the passwords of database roles derive from, and what signing keys are kept under. One for the whole fleet."""
    database_url: str | None = None
    """Set in a cluster, where a process serves one service and is handed its own app role."""
    database_pool: int = 5
    """Connections to PostgreSQL that a process keeps open while nothing happens."""
    database_overflow: int = 10
    """Connections that it may open beyond those while it is busy; each is closed when it has not been used for 20 seconds."""
    capture_host: str | None = None
    """How Connect reaches PostgreSQL, when that differs from how services do."""

    jwks_url: str = "http://127.0.0.1:8000/.well-known/jwks.json"
    """Where identity publishes the keys that tokens verify with (RFC 7517)."""
    issuer: str = "tailrace"
    """`iss` of an access token."""
    audience: str = "tailrace"
    """`aud` of a user's access token; a token for one service alone names the service."""
    token_lifetime: int = 3600
    """Of an access token. Revocations and replaced keys are remembered as long, so all processes need the same."""
    operator_password: str | None = None
    """The password of `operator@platform.local`, taken when identity first starts; invented when it is not given."""

    poll_interval_ms: int = 25
    """How often a connector looks for something new, in milliseconds: idle CPU against latency. The embedded stack raises this, the heartbeat and
    the wait of consumers, and lowers the pool of connections, with the size of the fleet (`tailrace.runtime.sizing`)."""
    heartbeat_ms: int = 1000
    """How often a connector confirms where it is, in milliseconds. An idle database holds the write-ahead log of the busy ones until the next
    time; at 5 s that was 30 to 110 MB at 5 MB/s, at 1 s with a logged snapshot 9 to 20 MB."""
    canary_every: float = Field(default=10.0, gt=0)
    """How often a service records a canary, which shows that its events reach Kafka."""
    canary_limit: float = Field(default=30.0, gt=0)
    """How long a canary may be on its way before its connector counts as stuck, whatever Connect says."""
    partitions: int = 6
    """Of a topic that is made; never changed later, since an aggregate's events would change their partition."""
    replication: int = 1
    """Copies of a topic that is made."""
    min_insync_replicas: int = 1
    """How many of these copies must have a record before it counts as written."""
    partner_read_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Bytes a second that each broker hands out to one partner; one that reads more has to wait."""
    partner_request_percent: float = Field(default=50.0, gt=0)
    """How much of one thread of each broker's requests of one partner may take, in percent."""
    consumer_batch: int = 500
    """Records that one transaction of a service with projections alone may hold."""
    journal_batch: int = 2000
    """The same of a service that keeps all it hears, in a few statements however much it is: what has piled up is taken in a fifth sooner."""
    reaction_batch: int = 50
    """The same wherever there are reactions: they hold locks that people wait for until the whole batch is committed."""
    consumer_wait_ms: int = 500
    """How long a consumer waits for something new before it asks again; what comes meanwhile is handed out at once."""
    consumer_gather_ms: int = 0
    """The least time from one delivery to the next, in milliseconds, in which events come together: many in one transaction cost little more
    than one. The first event after a pause is delivered at once."""
    look_every: float = Field(default=5.0, gt=0)
    """How often a process looks for timers, jobs, errands and dead letters that nobody told it of, in seconds. It adds no latency to what is due
    because of the service's own transactions."""
    redrive_every: float = Field(default=2.0, gt=0)
    """How often a service looks, while there are dead letters, for those that can be applied now, in seconds."""

    storage: str = ""
    """Where files lie: a folder, or `s3://bucket` with or without a prefix behind it; empty for `files` in the data folder. All processes of a
    service need the same; each service keeps to a folder, or prefix, of its own name."""
    storage_endpoint: str | None = None
    """The address of an S3-compatible store that is not Amazon's, as in `https://objects.example.com`; http is taken where the address says so."""
    storage_region: str | None = None
    """The region of the bucket, where the store has regions."""
    storage_key: str | None = None
    """The access key id; without one, what the environment of the process grants it (`AWS_…`, a web identity, the instance)."""
    storage_secret: SecretStr | None = None
    """The secret access key."""
    storage_uploads: int = Field(default=20, ge=1)
    """Files that a process takes in at once; the next one waits for its turn, or is a 503. Each holds two parts in memory at most: of 1 MB for a
    folder, of 5 MB for S3."""

    body_limit: int = 2 * 1024 * 1024
    """The largest body of a request, in bytes, but for those of uploads, whose service says how large its files may be."""
    requests_at_once: int | None = Field(default=None, ge=1)
    """Requests that one process works on at once, at most; fewer while it is late with its work. The next one is a 503 (`overloaded`). None:
    all are taken on."""
    connections: int = Field(default=2000, ge=1)
    """Connections that one process holds, and at most half of the files that it may open; the next one is refused with a 503."""
    head_timeout: float = Field(default=10.0, gt=0)
    """How long the head of a request may take to arrive."""
    address_connections: int = Field(default=500, ge=1)
    """Connections that one client address may hold at a gateway process, and at most half of all; an IPv6 site (/64) counts as one address.
    A proxy in front of the gateway that `TAILRACE_TRUSTED_PROXIES` does not name is one address too."""
    trusted_proxies: list[IPvAnyNetwork] = []
    """Networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, and which are no client address themselves. None: the
    gateway believes nobody, and every other service believes this machine, where the gateway of the embedded stack is."""
    client_grace: float = Field(default=10.0, gt=0)
    """How long a client may pause within the body of a request, and how long it takes until `TAILRACE_CLIENT_RATE` holds."""
    client_rate: int = Field(default=32 * 1024, ge=1)
    """Bytes per second that a client sends of a body, or takes of an answer, at least. So the largest body has 74 s to arrive."""
    ports: dict[str, int] = {}
    """The port of each service by its name, as JSON; the embedded stack sets it."""
    upstreams: dict[str, str] = {}
    """Base address by service name, for the gateway, of those that are not where `TAILRACE_UPSTREAM` says."""
    upstream: str = ""
    """Base address of every service, for the gateway, with `{service}` for its name; empty for 127.0.0.1 and its port in `TAILRACE_PORTS`."""
    fast_path: bool = True
    """Whether the gateway passes plain requests on before they become ASGI's (`docs/explanation/performance.md`). Without it every request takes
    the ASGI path, which decides alike and costs more. Spans (`OTEL_EXPORTER_OTLP_ENDPOINT`) turn it off."""
    tenant_rate: float = 200.0
    """Requests per second that a tenant may send, at each gateway process."""
    tenant_burst: int = 400
    """How many it may send at once before the rate holds."""
    address_rate: float = 50.0
    """Requests per second from one client address on paths that need no token, refused tokens included."""
    address_burst: int = 400
    """How many it may send at once before the rate holds."""
    tenant_requests: int = Field(default=64, ge=1)
    """Requests of a tenant that a gateway process has under way at once, of the 256 connections to a service that all share."""
    tenant_streams: int = Field(default=400, ge=1)
    """Streams of events of a tenant that a gateway process has open at once; they are none of its requests."""
    tenant_uploads: int = Field(default=8, ge=1)
    """Of those, how many may have a body of more than 64 kB, which is passed on while it arrives."""
    address_requests: int = Field(default=32, ge=1)
    """Requests of a client address that it has under way at once on paths that need no token. Their bodies are 64 kB at most."""
    graphql_introspection: bool = True
    """Whether clients may ask `/graphql` for its schema, which the contracts publish anyway."""
    cors_origins: list[str] = []
    """Origins whose pages may call the gateway from a browser; none by default."""

    public_url: str = Field(default="", pattern=r"^(https?://[^\s<>|\"]+)?$")
    """Where people reach the platform, as in `https://tailrace.example.com`: links in mail, Slack and Teams begin with it. Empty: they are told the
    path alone."""

    partners: dict[str, PartnerAddress] = {}
    """Partners that services call, by name, as JSON: `{"verification": {"url": "https://…", "secret": "env:PARTNER_SECRET_…"}}`. What is not
    named is not called. A partner that calls back signs by the secret that `callbacks` refers to. The embedded stack names its stand-ins."""
    secrets: Path = Path("/run/secrets/tailrace")
    """The folder of the secrets that references `file:…` name."""
    errands_allow: list[str] = []
    """Targets, each as `host:port`, that errands may call although they are not public, or not at port 80 or 443."""
    errands_at_once: int = Field(default=16, ge=1)
    """Calls to others that a process of a service has under way at once; a tenant has at most half of them."""
    errands_per_target: int = Field(default=4, ge=1)
    """Of those, how many go to one host and port; a tenant has at most half of them."""
    errand_grace: float = Field(default=15.0, gt=0)
    """How long, beyond its time-out, a call is left to the process that makes it, before another process makes it again."""

    metrics_from: list[IPvAnyNetwork] = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    """Networks whose callers the gateway shows its metrics; its port faces the world. Other services show theirs to every caller."""
    metrics_port: int | None = None
    """A port of its own for `/metrics`, which a scraper may reach and no client: in a cluster, where each process has an address of its own."""

    log_level: str = "INFO"
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""

    def role_password(self, role: str) -> str:
        """The password of a database role, derived so that nothing needs to be stored or passed around."""
        return hmac.new(self.secret.encode(), f"role:{role}".encode(), hashlib.sha256).hexdigest()

    def kafka_user_password(self, user: str) -> str:
        """The password of a Kafka user, derived as those of database roles are."""
        return hmac.new(self.secret.encode(), f"kafka:{user}".encode(), hashlib.sha256).hexdigest()

    def as_kafka_user(self, user: str) -> Self:
        """These settings for a process that is this user at Kafka; the same where the address names one, or needs none."""
        text = (user == OPERATOR and self.kafka_operator) or self.kafka
        address = KafkaAddress.parse(text)
        if not address.wants_user:
            return self.model_copy(update={"kafka": text})
        if self.kafka_password is not None:
            own = self.kafka_password.get_secret_value()
        elif address.mechanism == OAUTHBEARER:
            own = self.kafka_client_secret(user)
        else:
            own = self.kafka_user_password(user)
        return self.model_copy(update={"kafka": address.as_user(user, own).text()})

    def kafka_client_secret(self, user: str) -> str:
        """With what a client that is this user at Kafka asks identity for a token."""
        key = self.kafka_client_key.get_secret_value() if self.kafka_client_key else self.own_kafka_client_key()
        return hmac.new(key.encode(), user.encode(), hashlib.sha256).hexdigest()

    def own_kafka_client_key(self) -> str:
        """What identity gets in a cluster, which has no other way to know the clients' secrets."""
        return hmac.new(self.secret.encode(), b"kafka-clients", hashlib.sha256).hexdigest()

    def own_secret(self, service: str) -> str:
        """What a service gets for its own secret in a cluster: it tells nothing of the fleet's, nor of another service's."""
        return hmac.new(self.secret.encode(), f"service:{service}".encode(), hashlib.sha256).hexdigest()

    def database(self, service: str, role: Role = "app", driver: str = "postgresql+asyncpg") -> str:
        """The address of a service's own database for one of its three roles."""
        if self.database_url and role == "app":
            return self.database_url
        server = urlsplit(self.postgres)
        name = f"{service}_{role}"
        tls = urlencode(tls_of(self.postgres))
        at = f"{server.hostname}:{server.port or 5432}/{service}{'?' if tls else ''}{tls}"
        return f"{driver}://{name}:{quote(self.role_password(name))}@{at}"

    def upstream_of(self, service: str) -> str:
        """Raises KeyError for a service that no setting knows."""
        if address := self.upstreams.get(service):
            return address
        return self.upstream.replace("{service}", service) or f"http://127.0.0.1:{self.ports[service]}"


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with these variables would read."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environment.items()}
    return Settings(**source())
