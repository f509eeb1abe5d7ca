"""The arithmetic of `make bench-services`, its report also of a run that has not come to its end, and what it costs to begin with."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from measure import services
from measure.services import describing, options_of
from measure.services_report import Document, figure, is_too_dear, save

_BURN = "import time; began = time.process_time()\nwhile time.process_time() - began < .3: pass\nprint('burnt')"


def _document(*figures: dict[str, Any], failed: dict[str, str]) -> Document:
    asked = {"services": 10, "idle": 30, "with": "part,timer"}
    return {
        "asked": asked,
        "machine": {"cores": 2},
        "services": [17, 27],
        "figures": [*figures],
        "failed": failed,
        "complete": not failed,
    }


def test_what_is_the_same_in_both_is_no_cost_of_a_further_service() -> None:
    found = figure("own tests, of one and of all", "CPU s", 12.0, 57.0, 9)
    assert found["each"] == 5.0
    assert is_too_dear(_document(found, failed={}), 4.9)
    assert not is_too_dear(_document(found, figure("start, warm", "s", 10, 400, 9), failed={}), 5.0)


def test_a_run_that_has_not_come_to_its_end_says_what_it_had_and_what_failed(tmp_path: Path) -> None:
    document = _document(figure("start, warm", "s", 9.5, 1234.5, 10), failed={"tests": "AssertionError: one\nfailed"})
    save(tmp_path, document)
    assert json.loads((tmp_path / "services.json").read_text()) == document
    text = (tmp_path / "services.md").read_text()
    assert "did not come to its end" in text
    assert "| start, warm | s | 9.5 | 1,234.5 | 122.5 |" in text
    assert "| tests | AssertionError: one failed |" in text


def test_parts_that_were_measured_before_stay_unless_the_services_are_others(tmp_path: Path) -> None:
    document: Document = {"asked": {"services": 2, "with": "timer"}, "services": [3, 5], "machine": {}, "failed": {}}
    document["complete"] = True
    for what, after in (("describing", 3), ("tests", 5), ("describing", 7)):
        save(tmp_path, {**document, "figures": [figure(what, "CPU s", 1, after, 2)]})
    text = (tmp_path / "services.md").read_text()
    assert re.findall(r"\| (\w+) \| CPU s \| 1 \| (\d)", text) == [("tests", "5"), ("describing", "7")]
    save(tmp_path, {**document, "services": [4, 6], "figures": [figure("tests", "CPU s", 1, 9, 2)]})
    assert "describing" not in (tmp_path / "services.md").read_text()


def test_a_part_that_fails_does_not_end_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy_of(folder: Path, generated: int, options: object = ()) -> Any:
        return SimpleNamespace(services=[*range(17 + generated)], generated=[*range(generated)])

    def fail(_: object) -> Any:
        raise AssertionError("a test failed")

    monkeypatch.setattr(services, "Workspace", copy_of)
    monkeypatch.setattr(services, "testing", fail)
    monkeypatch.setattr(services, "describing", lambda each: {"everything": 1.0 * len(each.services)})
    kept, said = list[str](), list[str]()
    trial = services.Trial(tmp_path, 10, 0, said.append, lambda document: kept.append(json.dumps(document)))
    trial.run(["tests", "describe"])
    assert trial.document["failed"] == {"tests": "AssertionError: a test failed"}
    assert trial.document["figures"] == [figure("`tailrace describe`, everything", "CPU s", 17, 27, 10)]
    assert (trial.document["services"], trial.document["complete"]) == ([17, 27], False)
    assert "tests failed: AssertionError: a test failed" in said
    assert json.loads(kept[0])["figures"] == []


class _Scripted:
    """A copy in which `python` runs the given text whatever was asked for, and notes how the manifest looked then."""

    def __init__(self, root: Path, text: str) -> None:
        self.root, self.manifests, self._text = root, list[str](), text

    def python(self, *_: str) -> str:
        self.manifests += [path.read_text() for path in self.root.glob("services/*/src/*/service.py")]
        return subprocess.run([sys.executable, "-c", self._text], capture_output=True, text=True, check=True).stdout


def test_a_cost_is_the_cpu_of_the_process_and_of_what_it_left_behind(tmp_path: Path) -> None:
    # In a process of its own, which adopts what others leave behind.
    begin = f"""
import os, subprocess, sys
from types import SimpleNamespace
from measure.suite import adopt_orphans, cost_of_command
other = subprocess.Popen(["sleep", "600"])
adopt_orphans()
left = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', " + repr({_BURN!r}) + "], stdout=subprocess.DEVNULL); print('gone')"
run = lambda *words: subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout
cost = cost_of_command(SimpleNamespace(python=run), "-c", left)
print(cost.said, cost.cpu >= 0.3, other.poll())
other.kill()
"""
    paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", begin], env=paths, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["gone", "True", "None"], done.stderr


def test_one_service_is_changed_for_one_of_the_three_runs_alone(tmp_path: Path) -> None:
    source = tmp_path / "services/shop/src/shop"
    source.mkdir(parents=True)
    (source / "service.py").write_text("service = 1\n")
    kept = tmp_path / "dist/.describe_cache"
    kept.mkdir(parents=True)
    sandbox = _Scripted(tmp_path, _BURN)
    workspace: Any = SimpleNamespace(sandbox=sandbox, services=["shop"])
    found = describing(workspace)
    assert [*found] == ["everything", "nothing changed", "one service changed"]
    assert all(each >= 0.3 for each in found.values())
    assert sandbox.manifests == ["service = 1\n", "service = 1\n", "service = 1\n# changed\n"]
    assert (source / "service.py").read_text() == "service = 1\n"
    assert not kept.exists()


@pytest.mark.parametrize("asked", [["--services", "1"], ["--only", "alarm"]])
def test_what_cannot_be_measured_is_refused_at_once(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options_of(asked)
    assert "error: argument" in capsys.readouterr().err
    assert options_of(["--only", "tests,fleet"]).only == ["tests", "fleet"]
