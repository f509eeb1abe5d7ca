"""What `--containers` asks of a Docker engine is what docker-compose.yml says; without an engine, or the libraries, it ends with one sentence.

No image runs here: an engine of the test's own takes the requests that testcontainers sends, and keeps them.
"""

import json
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack.layout import Ports
from tailrace_testing import containers

COMPOSE = Path(__file__).parents[3] / "docker-compose.yml"
PORTS = Ports.counted(20_000, 20_009, [])
# The normal install does not carry them; `.ci/run` installs them first, so there nothing is left out.
needs_libraries = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("testcontainers", "yaml")),
    reason="needs what `make containers` installs",
)


@dataclass
class Engine:
    """Listens as a Docker engine does, and keeps what it is asked to create and to remove."""

    state: str = "running"
    said: bytes = b""
    created: list[dict[str, Any]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    from testcontainers.core.config import ConnectionMode, testcontainers_config

    # As on a machine that is no container itself, wherever the test runs.
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
    engine = Engine()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "/logs?" in self.path:
                self._send(200, engine.said)
            else:
                container = {"State": {"Status": engine.state}, "Config": {"Tty": True}}
                self._answer(200, {"ApiVersion": "1.44", "Id": "one", **container})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.endswith("/containers/create"):
                engine.created.append(json.loads(body))
            self._answer(201, {"Id": "one", "Warnings": []})

        def do_DELETE(self) -> None:
            engine.removed.append(self.path.split("/")[2])
            self._answer(200, {})

        def _answer(self, status: int, body: object) -> None:
            self._send(status, json.dumps(body).encode())

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield engine
    server.shutdown()
    server.server_close()


@needs_libraries
def test_the_engine_is_asked_for_what_compose_says(engine: Engine) -> None:
    import yaml

    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for part in containers.parts(COMPOSE, PORTS, "secret"):
        containers.container(part, SimpleNamespace(name="net")).start()
        asked, said = engine.created[-1], services[part.name]
        assert asked["Image"] == said["image"]
        assert (asked.get("Cmd") or []) == [
            re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in said.get("command", [])
        ]
        assert asked["NetworkingConfig"]["EndpointsConfig"]["net"]["Aliases"] == [part.name]
        environment = dict(each.split("=", 1) for each in asked["Env"])
        ours = {name for name, value in environment.items() if value != str(said["environment"].get(name))}
        assert ours == _OURS[part.name]
        assert set(environment) == set(said["environment"]) | ours
        assert "${" not in "".join(asked["Env"]), "only Compose fills in variables"
        assert asked["HostConfig"]["PortBindings"] == _PUBLISHED[part.name]
    assert len(engine.created) == 3


_OURS = {
    "postgres": {"POSTGRES_PASSWORD", "PGPORT"},
    "kafka": {"KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"},
    "connect": set(),
}
_PUBLISHED = {
    "postgres": {"20000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20000"}]},
    "kafka": {"20001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}]},
    "connect": {"8083/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20003"}]},
}


@needs_libraries
def test_kafka_is_found_from_outside_and_from_connect() -> None:
    _, kafka, connect = containers.parts(COMPOSE, PORTS, "secret")
    listeners = dict(each.split("://") for each in kafka.environment["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert listeners == {"PLAINTEXT": "kafka:9092", "HOST": "127.0.0.1:20001"}
    assert connect.environment["BOOTSTRAP_SERVERS"] == listeners["PLAINTEXT"]


@needs_libraries
def test_a_container_that_ends_is_shown_with_its_last_words_and_nothing_stays(engine: Engine) -> None:
    engine.state, engine.said = "exited", b"no space left on device"
    with (
        pytest.raises(OperatorError, match=r"postgres \(postgres:18\)(.|\n)*no space left on device"),
        containers.running(COMPOSE, "fleet"),
    ):
        pass
    assert len(engine.created) == 1
    assert engine.removed == ["containers", "networks"]


@needs_libraries
def test_an_engine_of_another_machine_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from testcontainers.core.config import testcontainers_config

    containers.check_engine()
    monkeypatch.setattr(testcontainers_config, "tc_host_override", "far.example")
    with pytest.raises(OperatorError, match=r"far\.example"):
        containers.check_engine()


@needs_libraries
def test_without_an_engine_the_run_ends_and_says_so(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    done = _run(pytester)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --containers needs a Docker engine, and none answers: *", "start Docker, *"])
    assert "Traceback" not in str(done.stderr)


def test_without_the_libraries_the_run_ends_and_says_what_installs_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    done = _run(pytester)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --containers needs the Python package docker*", "run: make containers"])


@needs_libraries
def test_what_cannot_run_on_containers_is_left_out_with_its_reason(engine: Engine, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_arithmetic():
            assert 1 + 1 == 2

        def test_on_postgres(stack):
            pass

        @pytest.mark.embedded("kills Kafka")
        def test_kills(stack):
            pass
        """
    )
    done = _run(pytester, "--collect-only", "-q")
    done.stdout.fnmatch_lines(
        ["*::test_on_postgres", "--containers left out 1: uses neither *", "--containers left out 1: kills Kafka"]
    )
    assert "::test_kills" not in str(done.stdout)


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(
        "-p", "tailrace_testing.plugin", "-o", "asyncio_default_fixture_loop_scope=session", "--containers", *arguments
    )
