"""The command line, as far as it goes without Connect."""

import json
from pathlib import Path

import pytest

from debezium_connector_config.cli import main

GOLDEN = Path(__file__).with_name("outbox.golden.json")
RENDER = (
    "render --name orders --hostname db.internal --database orders --user orders_capture "
    "--password-env ORDERS_CAPTURE_PASSWORD --header tenant_id=ce_tenantid --header traceparent=traceparent"
)


def test_render_prints_the_outbox_connector(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RENDER.split()) == 0
    assert capsys.readouterr().out == GOLDEN.read_text(encoding="utf-8")


def test_render_names_a_bad_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RENDER.split(), "--slot", "Not-A-Slot"]) == 1
    assert "slot_name: String should match" in capsys.readouterr().err


def test_validate_accepts_what_render_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(GOLDEN)]) == 0
    assert capsys.readouterr().out == "orders: valid, not checked against Connect\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"poll.interval.ms": "soon"}, "poll.interval.ms: Input should be a valid integer"),
        ({"heartbeat.interval.ms": "0"}, "heartbeat.action.query needs heartbeat.interval.ms above 0"),
        ({"snapshot.modes": "no_data"}, "snapshot.modes (did you mean snapshot.mode?)"),
    ],
)
def test_validate_says_what_is_wrong(
    change: dict[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(GOLDEN.read_text(encoding="utf-8"))
    document["config"] |= change
    file = tmp_path / "connector.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert main(["validate", str(file)]) == 1
    assert words in capsys.readouterr().err


def test_a_file_of_another_shape_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "connector.json"
    file.write_text("[]", encoding="utf-8")
    assert main(["validate", str(file)]) == 1
    assert 'expected {"name"' in capsys.readouterr().err


def test_an_unreachable_connect_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--connect", "http://127.0.0.1:1"]) == 1
    assert "Connect at http://127.0.0.1:1 did not answer" in capsys.readouterr().err
