"""Which user PostgreSQL runs as: the caller, or, for root, one without rights whose files lie where it can read them.

PostgreSQL refuses to run as root, and a data folder under `/root` cannot be entered by another user: then its files lie
under a temporary folder, and the data folder holds a link to them.
"""

import hashlib
import os
import pwd
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tailrace.core.operator_error import OperatorError

NOBODY = 65534


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def is_caller(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Give a file or folder to this account."""
        if not self.is_caller:
            os.chown(path, self.uid, self.gid)

    def can_cross(self, folder: Path) -> bool:
        """Whether this account can reach files in `folder`, which need not exist yet."""
        if self.is_caller:
            return True
        existing = [each for each in (folder, *folder.parents) if each.exists()]
        return all(self._may_cross(each) for each in existing)

    def _may_cross(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def database_account() -> Account:
    """The caller, or for root the first unprivileged account that this machine (or user namespace) can use."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for account in _candidates():
        if _usable(account):
            return account
    raise OperatorError(
        "PostgreSQL refuses to run as root, and no unprivileged user can be used here",
        "run as an ordinary user, or map more user ids into this container",
    )


def _candidates() -> Iterator[Account]:
    for name in ("nobody", "postgres"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Account(entry.pw_uid, entry.pw_gid)
    yield Account(NOBODY, NOBODY)
    yield from (Account(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall() if entry.pw_uid >= 1000)
    yield Account(1000, 1000)


def _usable(account: Account) -> bool:
    """A user namespace refuses ids that it does not map."""
    if account.uid == 0:
        return False
    with tempfile.NamedTemporaryFile() as probe:
        try:
            os.chown(probe.name, account.uid, account.gid)
        except OSError:
            return False
    return True


def reachable(account: Account, wanted: Path) -> Path:
    """`wanted` itself, or a stand-in under a temporary folder when the account cannot get to it.

    The stand-in's name follows from `wanted`, so that the next start finds it again. It belongs to the caller, who is root.
    """
    if account.can_cross(wanted.parent):
        return wanted
    name = f"tailrace-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"
    return _own_folder(_temporary(account) / name) / wanted.name


def home(account: Account, wanted: Path) -> Path:
    """Like `reachable`, for data: the stand-in is new each time, and `wanted` becomes a link to it.

    So deleting the data folder also lets go of what it pointed to.
    """
    if wanted.is_symlink():
        target = wanted.resolve()
        if not target.exists():
            raise OperatorError(
                f"the database's files, {target}, are gone", f"delete {wanted} to begin with an empty database"
            )
        return target
    if account.can_cross(wanted.parent):
        return wanted
    folder = Path(tempfile.mkdtemp(prefix="tailrace-", dir=_temporary(account)))
    folder.chmod(0o711)
    target = folder / wanted.name
    target.mkdir(mode=0o700)
    wanted.symlink_to(target)
    return target


def _temporary(account: Account) -> Path:
    """A temporary folder that the account can cross; the lasting one first."""
    for place in (Path("/var/tmp"), Path(tempfile.gettempdir())):
        if place.is_dir() and account.can_cross(place):
            return place
    raise OperatorError(
        f"uid {account.uid} can cross no temporary folder", "set TAILRACE_DATA to a folder that others may cross"
    )


def _own_folder(folder: Path) -> Path:
    """A folder of ours in a place where every user may write: refuse one that another user put there."""
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        status = folder.lstat()
        if folder.is_symlink() or not folder.is_dir() or status.st_uid != os.geteuid():
            raise OperatorError(f"{folder} belongs to another user", f"remove {folder}") from None
    folder.chmod(0o711)
    return folder
