"""Kafka's data of a release without users is not opened as if it had some: nobody could log in."""

from pathlib import Path

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack.credentials import Credentials
from tailrace.stack.java import Machine
from tailrace.stack.kafka import Kafka
from tailrace.stack.layout import Ports


async def test_data_without_users_is_refused(tmp_path: Path) -> None:
    credentials = Credentials(postgres="p", secret="a secret of this test", operator="o")
    kafka = Kafka(Machine(Path("java"), (), tmp_path), tmp_path / "kafka", Ports(9000, 9999), "", credentials)
    kafka.data.mkdir()
    (kafka.data / "meta.properties").touch()
    with pytest.raises(OperatorError, match="without users"):
        await kafka.format()
    assert kafka.configuration.stat().st_mode & 0o077 == 0
    kafka.users.touch()
    assert not await kafka.format()
