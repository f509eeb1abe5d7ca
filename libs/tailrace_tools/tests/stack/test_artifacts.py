"""Only bytes that the lock names are ever used, whatever the mirror serves and however often a download is broken off."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack import artifacts
from tailrace.stack.artifacts import Artifact, Lock, corrupt, fetch, missing


class Mirror(ThreadingHTTPServer):
    """Serves `files` by path and notes what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        path = self.path.removeprefix("/")
        self.server.asked.append(path)
        body = self.server.files.get(path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("TAILRACE_MAVEN_MIRROR", server.url + "/")
    yield server
    server.shutdown()
    server.server_close()


def artifact(path: str, content: bytes) -> Artifact:
    return Artifact(hashlib.sha256(content).hexdigest(), len(content), path)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_shipped_lock_names_everything_the_stack_runs() -> None:
    lock = Lock.load()
    assert "18." in lock.postgres.path
    assert lock.debezium.path.endswith("-plugin.tar.gz")
    assert len(lock.jars) == len(lock.artifacts) - 2
    assert any("kafka_2.13" in jar.path for jar in lock.jars)
    assert any("connect-runtime" in jar.path for jar in lock.jars)


@pytest.mark.parametrize(
    "line", ["abc 12 a/b.jar", f"{'0' * 64} many a/b.jar", f"{'0' * 64} 12", f"{'0' * 64} 12 a/../../b.jar"]
)
def test_line_that_is_no_artifact_is_refused_with_its_number(line: str) -> None:
    good = f"{'0' * 64} 12 a/b.jar"
    with pytest.raises(OperatorError, match="line 2"):
        Lock.parse(f"{good}\n{line}\n")


def test_download_with_other_bytes_is_refused_and_leaves_nothing(mirror: Mirror, tmp_path: Path) -> None:
    wanted = artifact("a/good.jar", b"the real thing")
    mirror.files["a/good.jar"] = b"the evil thing"
    with pytest.raises(OperatorError, match="SHA-256") as caught:
        fetch([wanted], tmp_path)
    assert "TAILRACE_MAVEN_MIRROR" in caught.value.remedy
    assert files_in(tmp_path) == set()


def test_download_is_kept_and_not_asked_for_again(mirror: Mirror, tmp_path: Path) -> None:
    first, second = artifact("a/first.jar", b"1" * 1000), artifact("b/second.jar", b"2" * 2000)
    mirror.files["a/first.jar"] = b"1" * 1000
    with pytest.raises(OperatorError, match=r"second\.jar"):
        fetch([first, second], tmp_path)

    mirror.files["b/second.jar"] = b"2" * 2000
    mirror.asked.clear()
    seen: list[tuple[int, int]] = []
    fetch([first, second], tmp_path, lambda done, total: seen.append((done, total)))
    assert mirror.asked == ["b/second.jar"]
    assert seen == [(1000, 3000), (3000, 3000)]
    assert missing([first, second], tmp_path) == []
    assert files_in(tmp_path) == {"first.jar", "second.jar"}


def test_file_that_changed_in_the_cache_is_found(mirror: Mirror, tmp_path: Path) -> None:
    wanted = artifact("a/good.jar", b"the real thing")
    mirror.files["a/good.jar"] = b"the real thing"
    fetch([wanted], tmp_path)
    assert corrupt([wanted], tmp_path) == []
    wanted.here(tmp_path).write_bytes(b"the evil thing")
    assert corrupt([wanted], tmp_path) == [wanted]


def test_no_network_says_what_to_do(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "ATTEMPTS", 1)
    mirror.shutdown()
    mirror.server_close()
    with pytest.raises(OperatorError, match="cannot download") as caught:
        fetch([artifact("a/good.jar", b"")], tmp_path / "cache")
    assert "network" in caught.value.remedy
