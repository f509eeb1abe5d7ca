"""The reference leaves nothing out, and calls metrics what Prometheus is shown."""

import re
import subprocess
import sys
from pathlib import Path

from tailrace.cli import app as commands
from tailrace.codegen.reference import commands_page, settings_page
from tailrace.observability.metrics import INSTRUMENTS

ROOT = Path(__file__).parents[3]
_IMPORT = re.compile(r"^from (tailrace\.[\w.]+) import", re.MULTILINE)
_OF_TESTS = {"tailrace.codegen.migrations"}
"""What the tests of the page themselves import."""
_VARIABLE = re.compile(r"\bTAILRACE_[A-Z]+(?:_[A-Z]+)*\b")
_SCRAPE = """
from prometheus_client import REGISTRY, generate_latest
from tailrace.observability import metrics
metrics.install("test")
for name in metrics.INSTRUMENTS:
    metrics.readings[name] = [({}, 1)]
metrics.request_served("GET", "/", 200, 0.1)
metrics.events_applied("test.toy", 1, 0.1)
metrics.event_dead_lettered("test.toy", "gap")
metrics.saga_moved("toy", "begin", "end")
metrics.errand_called("toy.errand", "answered", 0.1)
metrics.errand_ended("toy.errand", "answered")
metrics.refused_busy()
metrics.relayed("toy", 1)
print(generate_latest(REGISTRY).decode())
"""


def test_every_variable_that_is_read_anywhere_is_listed() -> None:
    sources = [
        *ROOT.glob("libs/*/src/**/*.py"),
        *ROOT.glob("services/*/src/**/*.py"),
        *ROOT.glob("demo/src/**/*.py"),
    ]
    deployed = [*ROOT.glob("deploy/**/*.yml"), ROOT / "deploy/docker/Dockerfile", ROOT / "docker-compose.yml"]
    read = {name for path in (*sources, *deployed) for name in _VARIABLE.findall(path.read_text())}
    assert len(read) > 15
    assert read - set(_VARIABLE.findall(settings_page())) == set()


def test_every_command_is_listed_with_what_it_does() -> None:
    listed = dict(re.findall(r"^## (.+)\n\n(.+)$", commands_page(commands), re.MULTILINE))
    assert {"up", "events tail", "dlq redrive", "describe"} <= listed.keys()
    assert all(len(said) > 10 for said in listed.values())


def test_metrics_have_the_names_that_prometheus_is_shown() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRAPE], capture_output=True, text=True, timeout=60, check=True)
    families = dict(re.findall(r"^# TYPE (\S+) (\w+)$", done.stdout, re.MULTILINE))
    assert {each.prometheus: each.kind for each in INSTRUMENTS.values()}.items() <= families.items()


def test_the_kits_page_has_what_a_new_service_imports() -> None:
    """What the page "Add a service" and the scaffold import: who follows them need not look into the code."""
    page = ROOT / "docs/how-to/add-a-service.md"
    texts = ROOT.glob("libs/tailrace_tools/src/tailrace/codegen/scaffold/service/**/*.py.txt")
    # What the page's blocks need imported.
    shown = [ROOT / f"tests/docs/test_{of}.py" for of in ("add_a_service", "master_data", "parts_and_copies")]
    found = {name for path in (page, *texts, *shown) for name in _IMPORT.findall(path.read_text())}
    found |= set(re.findall(r"`(tailrace\.\w+\.\w+)`", page.read_text()))
    listed = set(re.findall(r"auto(?:module|class):: ([\w.]+)", (ROOT / "docs/reference/kit.md").read_text()))
    assert len(found) > 20
    assert found - listed - _OF_TESTS == set()
