"""A pid alone never identifies a process: what took over the number of a dead one is left in peace."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Ports
from tailrace.stack.processes import Process, listener


def test_recycled_pid_is_not_signalled() -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        remembered = Process(bystander.pid, "another boot:17")
        assert not remembered.alive
        assert not remembered.send(signal.SIGKILL)
        remembered.end(signal.SIGKILL)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_process_is_known_until_it_ends() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = Process.find(child.pid)
    assert process is not None
    assert process.alive
    process.send(signal.SIGKILL)
    assert process.wait(5), "a zombie counts as gone"
    child.wait()
    assert Process.find(child.pid) is None


def test_taken_port_is_named_with_who_holds_it(tmp_path: Path) -> None:
    ports = Ports.free()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", ports.postgres))
        holder.listen()
        assert f"pid {os.getpid()} " in (listener(ports.postgres) or "")
        stack = Stack(tmp_path / "data", only="postgres", ports=ports)
        with pytest.raises(OperatorError) as caught:
            stack.start()
    assert str(ports.postgres) in caught.value.what
    assert f"pid {os.getpid()} " in caught.value.what
    assert "TAILRACE_PORT_BASE" in caught.value.remedy
    stack.discard()
