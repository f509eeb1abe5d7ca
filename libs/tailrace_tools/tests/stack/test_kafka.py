"""What a broker is told: alone, and as one of several. Data of a release without users is not opened as if it had some: nobody could log in."""

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


def test_each_of_three_brokers_has_an_address_of_its_own_and_keeps_three_copies(tmp_path: Path) -> None:
    credentials = Credentials(postgres="p", secret="a secret of this test", operator="o")

    def told(number: int, brokers: int) -> tuple[dict[str, str], str]:
        machine = Machine(Path("java"), (), tmp_path)
        kafka = Kafka(machine, tmp_path, Ports(9000, 9999), "", credentials, number=number, brokers=brokers)
        kafka.configure()
        lines = kafka.configuration.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines), kafka.program().name

    alone, name = told(1, 1)
    assert (alone["node.id"], alone["default.replication.factor"], alone["min.insync.replicas"]) == ("1", "1", "1")
    assert (alone["controller.quorum.bootstrap.servers"], name) == ("127.0.0.1:9002", "kafka")
    third, name = told(3, 3)
    assert (third["node.id"], third["default.replication.factor"], third["min.insync.replicas"]) == ("3", "3", "2")
    assert third["listeners"] == "CLIENT://127.0.0.3:9001,CONTROLLER://127.0.0.3:9002"
    assert third["controller.quorum.bootstrap.servers"] == "127.0.0.1:9002,127.0.0.2:9002,127.0.0.3:9002"
    assert name == "kafka-3"
