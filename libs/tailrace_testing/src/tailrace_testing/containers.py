"""`--containers`: the run's PostgreSQL, Kafka and Connect as containers, with the images, commands and settings of docker-compose.yml.

Beyond what stands there, since the tests and the fleet are outside the containers' network: each publishes one port on the loopback interface,
Kafka has a listener more that is reached there, and the password of PostgreSQL is the run's own. PostgreSQL listens on the port that it publishes,
so that outside and inside only the host differs (`TAILRACE_CAPTURE_HOST`).

What this needs besides, `make containers` installs; nothing else imports it.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailrace.core.operator_error import OperatorError
from tailrace.stack.layout import HOST, Ports
from tailrace.stack.plan import External, Only

CAPTURE_HOST = "postgres"
"""PostgreSQL's name in the containers' network, by which Connect finds it."""
TIMEOUT = 180.0
"""Seconds for a container to answer, once its image is there."""


@dataclass(frozen=True)
class Part:
    """One container: what docker-compose.yml says of the service of this name, and what a test run adds."""

    name: str
    image: str
    command: list[str]
    environment: dict[str, str]
    inside: int
    published: int


def check_engine() -> None:
    """Raises `OperatorError` unless the libraries are installed and a Docker engine of this machine answers."""
    try:
        import docker.errors
        import yaml  # noqa: F401
        from testcontainers.core.config import ConnectionMode
        from testcontainers.core.docker_client import DockerClient
    except ImportError as error:
        raise OperatorError(
            f"--containers needs the Python package {error.name}, which is not installed", "run: make containers"
        ) from None
    try:
        engine = DockerClient()
        engine.client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise OperatorError(
            f"--containers needs a Docker engine, and none answers: {error}",
            "start Docker, or set DOCKER_HOST to where it listens; without --containers the tests need none",
        ) from None
    with closing(engine.client):
        nearby = engine.host() in ("localhost", HOST) and engine.get_connection_mode() is ConnectionMode.docker_host
    if not nearby:
        raise OperatorError(
            f"--containers needs a Docker engine whose published ports are on {HOST}, and the one that answers is at {engine.host()}",
            "run the tests on the engine's own machine, outside of a container",
        )


def parts(compose: Path, ports: Ports, password: str) -> list[Part]:
    """PostgreSQL, Kafka and Connect, in the order in which they start. Raises OSError without the file."""
    import yaml

    services = yaml.safe_load(compose.read_text())["services"]
    kafka = services["kafka"]["environment"]
    reached = {
        "KAFKA_LISTENERS": f"HOST://:{ports.kafka}",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://{HOST}:{ports.kafka}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT",
    }
    return [
        _part(
            "postgres",
            services,
            {"POSTGRES_PASSWORD": password, "PGPORT": ports.postgres},
            ports.postgres,
            ports.postgres,
        ),
        _part(
            "kafka",
            services,
            {name: f"{kafka[name]},{more}" for name, more in reached.items()},
            ports.kafka,
            ports.kafka,
        ),
        _part("connect", services, {}, 8083, ports.connect),
    ]


def _part(name: str, services: dict[str, Any], ours: dict[str, Any], inside: int, published: int) -> Part:
    service = services[name]
    environment = {key: str(value) for key, value in {**service["environment"], **ours}.items()}
    command = [_filled(word) for word in service.get("command", ())]
    return Part(name, service["image"], command, environment, inside, published)


def _filled(text: str) -> str:
    """As Compose reads `${NAME:-default}`, with nothing set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def container(part: Part, network: Any) -> Any:
    """The `DockerContainer`, not started yet; in the network it has the part's name. Asks the engine for its version."""
    from testcontainers.core.container import DockerContainer

    made = DockerContainer(part.image, env=dict(part.environment), network=network, network_aliases=[part.name])
    if part.command:
        made.with_command(part.command)
    made.ports[str(part.inside)] = (HOST, part.published)  # with_bind_ports knows no interface, and takes all of them
    return made


@contextmanager
def running(compose: Path, only: Only) -> Iterator[External]:
    """The containers that this level needs, all answering; gone, with their data, at the end. Raises `OperatorError`."""
    import docker.errors
    from testcontainers.core.network import Network

    ports, password = Ports.free(), secrets.token_hex(16)
    external = External(
        f"postgresql://postgres:{password}@{HOST}:{ports.postgres}/postgres",
        f"{HOST}:{ports.kafka}",
        f"http://{HOST}:{ports.connect}",
    )
    wanted = parts(compose, ports, password)[: {"postgres": 1, "kafka": 2}.get(only)]
    with ExitStack() as started:
        try:
            network = started.enter_context(Network())
            for part in wanted:
                made = started.enter_context(container(part, network))
                _wait(part, made, external)
        except (docker.errors.DockerException, OSError) as error:
            raise OperatorError(
                f"a container could not be started: {error}", "see what the engine says: docker info"
            ) from error
        yield External(**{part.name: getattr(external, part.name) for part in wanted})


def _wait(part: Part, made: Any, external: External) -> None:
    """Until the part answers. Raises `OperatorError` with what the container said last when it ends, or does not in time."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        if not runner.run(_answers(_question(part.name, external), lambda: _alive(made))):
            said = b"\n".join(made.get_logs()).decode(errors="replace").strip()[-2000:]
            raise OperatorError(f"the container of {part.name} ({part.image}) does not answer; it said last:\n{said}")


def _alive(made: Any) -> bool:
    made.reload()
    return made.status in ("created", "running")


async def _answers(question: Callable[[], Awaitable[bool]], alive: Callable[[], bool]) -> bool:
    import asyncpg

    loop = asyncio.get_running_loop()
    deadline = loop.time() + TIMEOUT
    while loop.time() < deadline and alive():
        try:
            if await question():
                return True
        except (OSError, asyncpg.PostgresConnectionError):  # published already, and nobody listens inside
            pass
        await asyncio.sleep(0.25)
    return False


def _question(name: str, external: External) -> Callable[[], Awaitable[bool]]:
    """The same that the stack asks before it goes on."""
    from tailrace.capture.connect_api import Rest
    from tailrace.kafka.topics import answers
    from tailrace.runtime.provision import postgres_answers

    async def healthy() -> bool:
        async with Rest(str(external.connect)) as rest:
            return await rest.healthy()

    return {
        "postgres": lambda: postgres_answers(str(external.postgres)),
        "kafka": lambda: answers(str(external.kafka)),
        "connect": healthy,
    }[name]
