"""A service's log is bounded, and turning it over loses and cuts no line, whoever writes."""

import json
import subprocess
import sys
from pathlib import Path

_WRITE = """
import os, sys
from pathlib import Path
from tailrace.observability.log_files import write_to
from tailrace.observability.logs import configure, log

write_to(Path(sys.argv[1]), limit=int(sys.argv[2]))
configure("any")
for number in range(1000):
    if number % 10:
        log.info(f"line {number}.")
    else:
        os.write(number % 20 // 10 + 1, f"line {number}.\\n".encode())
"""

_ON_A_FULL_DISK = """
import os, sys
from pathlib import Path
from tailrace.observability.log_files import write_to
from tailrace.observability.logs import configure, log

write_to(Path("/dev/full"))
configure("any")
log.info("not heard yet")
path = Path(sys.argv[1])
write_to(path, limit=1000)
os.write(1, b"x" * 1000)
# As it is left when the full file was moved and there was no room for a new one.
path.rename(path.with_suffix(".old.log"))
log.info("moved")
log.info("heard")
"""


def _written(path: Path, limit: int) -> list[Path]:
    subprocess.run([sys.executable, "-c", _WRITE, path, str(limit)], check=True, timeout=60)
    return sorted(path.parent.iterdir())


def test_no_line_is_lost_when_a_full_log_is_turned_over(tmp_path: Path) -> None:
    files = _written(tmp_path / "logs" / "any.log", 80_000)
    assert [file.name for file in files] == ["any.log", "any.old.log"]
    old, new = (tmp_path / "logs" / name for name in ("any.old.log", "any.log"))
    lines = (old.read_text() + new.read_text()).splitlines()
    assert len(lines) == 1000
    assert all(f"line {number}." in line for number, line in enumerate(lines))


def test_a_log_takes_no_more_than_twice_its_limit(tmp_path: Path) -> None:
    files = _written(tmp_path / "any.log", 5_000)
    assert [file.name for file in files] == ["any.log", "any.old.log"]
    assert sum(file.stat().st_size for file in files) < 2 * 5_000 + 1_000
    assert "line 999." in (tmp_path / "any.log").read_text()


def test_a_service_on_a_full_disk_goes_on_and_is_heard_again_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "any.log"
    subprocess.run([sys.executable, "-c", _ON_A_FULL_DISK, path], check=True, timeout=60)
    assert json.loads(path.read_text().splitlines()[-1])["event"] == "heard"
