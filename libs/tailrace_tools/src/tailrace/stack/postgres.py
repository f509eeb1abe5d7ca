"""PostgreSQL as a child: initialised once with a password of its own, logical decoding on, durable writes left on.

It listens on the loopback interface only, without a Unix socket, and runs as the caller, or for root as an account without rights.
"""

import os
import platform
import pwd
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.runtime.sizing import postgres_connections, postgres_slots
from tailrace.stack.accounts import NOBODY, Account, database_account, home, reachable
from tailrace.stack.artifacts import Lock, unpack_postgres
from tailrace.stack.child import Program
from tailrace.stack.errand import run_tool
from tailrace.stack.layout import HOST
from tailrace.stack.processes import Process

CONFIGURATION = """\
# Written at every start: changes belong in postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
wal_level = logical
max_replication_slots = {slots}
max_wal_senders = {slots}
max_slot_wal_keep_size = 4GB
archive_mode = on
archive_command = '/bin/true'
max_connections = {connections}
shared_buffers = 128MB
max_wal_size = 1GB
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""
RECOVERY_TIMEOUT = 12 * 3600.0
"""Seconds for rolling a backup forward, which may be a day's log."""
NOT_DURABLE = "fsync = off\n"
"""What was written outlives every process of this machine, not a failure of its power."""
ACCESS = """\
# Written at every start. No line is for `replication`: the capture roles could copy the whole cluster, files and all. Logical replication is a
# connection to a database, and `all` means databases alone.
host all all {host}/32 scram-sha-256
"""
STANDBYS = """\
# The superuser is let in to copy the log.
host replication postgres {host}/32 scram-sha-256
"""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """One cluster: its programs, its data, who runs it."""

    programs: Path
    data: Path
    account: Account
    port: int
    services: int = 0
    """How many will use it."""
    durable: bool = True
    host: str = HOST
    more: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further settings, over those above: those of a standby, for instance."""
    standbys: bool = False
    """Whether standbys may copy its log."""

    @classmethod
    def locate(
        cls, lock: Lock, cache: Path, data: Path, port: int, services: int = 0, durable: bool = True
    ) -> "Postgres":
        """Unpack the programs if needed and choose places that the account can reach."""
        check_platform()
        account = database_account()
        programs = reachable(account, cache / f"postgresql-{lock.postgres.sha256[:12]}")
        unpacked = unpack_postgres(lock, cache, programs)
        return cls(unpacked, home(account, data / "postgres"), account, port, services, durable)

    @property
    def version_file(self) -> Path:
        return self.data / "PG_VERSION"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    async def initialise(self, password: str) -> bool:
        """Create the cluster unless it exists; says whether it did. Raises `OperatorError`."""
        if self.version_file.exists():
            self._check_version()
            return False
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self.account.own(self.data)
        secret = self.data.with_name(f"{self.data.name}.password")
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        self.account.own(secret)
        try:
            await self._initdb(secret)
        finally:
            secret.unlink()
        return True

    async def _initdb(self, secret: Path) -> None:
        argv = [
            *_naming(self.account),
            str(self.programs / "bin" / "initdb"),
            f"--pgdata={self.data}",
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if self.durable else ["--no-sync"]),
        ]
        await run_tool(argv, ENVIRONMENT, self.account)

    def _check_version(self) -> None:
        found = self.version_file.read_text().strip()
        shipped = self.shipped_version
        if found != shipped:
            raise OperatorError(
                f"{self.data} was made by PostgreSQL {found}, this release ships {shipped}",
                "dump the data with the old release and restore it with this one, or set TAILRACE_DATA to a new folder",
            )

    @property
    def shipped_version(self) -> str:
        """The major version, read off the catalogue that initdb loads."""
        first = (self.programs / "share" / "postgresql" / "postgres.bki").open().readline()
        return first.rsplit(maxsplit=1)[-1]

    def program(self) -> Program:
        return Program(
            name="postgres",
            argv=[str(self.programs / "bin" / "postgres"), "-D", str(self.data)],
            ready=self._ready,
            port=self.port,
            environment=ENVIRONMENT,
            account=self.account,
            before=self._before,
            stop_signal=signal.SIGINT,  # fast shutdown: clients are cut off, the data is safe
            death_signal=signal.SIGINT,
            stop_timeout=30.0,
            ready_timeout=RECOVERY_TIMEOUT if (self.data / "recovery.signal").exists() else Program.ready_timeout,
        )

    def _before(self) -> None:
        path = self.data / "postgresql.conf"
        slots, connections = postgres_slots(self.services), postgres_connections(self.services)
        text = CONFIGURATION.format(host=self.host, port=self.port, slots=slots, connections=connections)
        text += "" if self.durable else NOT_DURABLE
        path.write_text(text + "".join(f"{name} = '{value}'\n" for name, value in self.more.items()))
        self.account.own(path)
        access = self.data / "pg_hba.conf"
        access.write_text((ACCESS + (STANDBYS if self.standbys else "")).format(host=HOST))
        self.account.own(access)
        self._forget_stale_pid()

    def _forget_stale_pid(self) -> None:
        """After a crash the pid file may name a process of another user, and PostgreSQL would refuse to start."""
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if Process.find(pid) is not None and not self._runs_here(pid):
            self.pid_file.unlink(missing_ok=True)

    def _runs_here(self, pid: int) -> bool:
        try:
            return str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    async def _ready(self, pid: int) -> bool:
        """The pid file's eighth line, which pg_ctl reads too."""
        lines = self.pid_file.read_text().splitlines()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _naming(account: Account) -> list[str]:
    """initdb refuses a user without a name, as containers with arbitrary ids have: a user namespace lends it one."""
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        if shutil.which("unshare"):
            return ["/usr/bin/env", "unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
        raise OperatorError(
            f"PostgreSQL needs a user with a name, and uid {account.uid} has none",
            "add a line for it to /etc/passwd, or install util-linux (unshare)",
        ) from None
    return []


def check_platform() -> None:
    """Raises `OperatorError` where the shipped programs cannot run."""
    found = (platform.system(), platform.machine(), platform.libc_ver()[0])
    if found != ("Linux", "x86_64", "glibc"):
        raise OperatorError(
            f"the embedded PostgreSQL is for Linux on x86_64 with glibc, this is {' '.join(filter(None, found))}",
            "run PostgreSQL elsewhere and set TAILRACE_POSTGRES to its address",
        )
