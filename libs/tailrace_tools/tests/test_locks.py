"""A service's lock is of what it needs and the common lock has not: through libraries, their extras, and no further."""

import subprocess
from pathlib import Path

import pytest

from tailrace.codegen.compose import compose
from tailrace.codegen.locks import extras, head, lock_of, locked, write
from tailrace.codegen.places import COMPOSE
from tailrace.runtime.fleet import load_services

ROOT = Path(__file__).parents[3]
PROJECTS = {
    "contracts": 'name = "tailrace-contracts"\ndependencies = ["pydantic"]',
    "libs/tailrace": 'name = "tailrace"\ndependencies = ["pydantic"]\n[project.optional-dependencies]\n'
    'documents = ["typst>=0.15.2", "pydantic"]\ncubes = ["Olap_Engine[all]>=2 ; python_version > \'3\'"]',
    "services/orders": 'name = "tailrace-orders"\ndependencies = ["tailrace", "tailrace-contracts"]',
    "services/quotes": 'name = "tailrace-quotes"\ndependencies = ["tailrace[documents]", "tailrace-contracts", "python-stdnum"]',
    "services/sums": 'name = "tailrace-sums"\ndependencies = ["tailrace[documents, cubes]"]',
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for folder, project in PROJECTS.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pyproject.toml").write_text(f"[project]\n{project}\n")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/requirements-runtime.lock").write_text("pydantic==2.1 \\\n    --hash=sha256:00\n")
    return tmp_path


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        ("orders", []),
        ("quotes", ["python-stdnum", "typst>=0.15.2"]),
        ("sums", ["Olap_Engine[all]>=2 ; python_version > '3'", "typst>=0.15.2"]),
    ],
)
def test_what_a_service_needs_besides(workspace: Path, service: str, wanted: list[str]) -> None:
    assert extras(workspace, service) == wanted


def test_what_becomes_common_is_no_extra_any_more(workspace: Path) -> None:
    with (workspace / "locks/requirements-runtime.lock").open("a") as common:
        common.write("python-stdnum==2.2\ntypst==0.15.2\n")
    assert extras(workspace, "quotes") == []


def test_a_lock_that_nothing_needs_is_removed(workspace: Path) -> None:
    lock = workspace / lock_of("orders")
    lock.parent.mkdir()
    lock.write_text(head("orders", ["typst"]))
    write(workspace, "orders", upgrade=False)
    assert not lock.exists()


def test_the_common_lock_names_nothing_that_one_service_alone_needs() -> None:
    common = locked(ROOT / "locks/requirements-runtime.lock")
    assert {"pydantic", "fastapi"} <= common
    assert common.isdisjoint(
        {"typst", "babel", "manimgx-fonts", "noto-cjk-sans-jp-bold", "python-stdnum", "pwdlib", "aiohttp"}
    )


def test_no_service_is_sent_to_the_builder_but_its_own() -> None:
    recipe = (ROOT / "deploy/docker/Dockerfile").read_text()
    sent = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert not [line for line in sent if line.startswith("!services")]
    assert "COPY --from=service . services/${SERVICE}" in recipe
    services = load_services()
    composed = compose(services)[COMPOSE / "services.yml"]
    for service in (each.name for each in services if not each.stands_in):
        assert f"SERVICE: {service} }}, additional_contexts: {{ service: ../../services/{service} }} }}" in composed


def test_the_tool_runs_where_nothing_is_installed() -> None:
    tool = ROOT / "libs/tailrace_tools/src/tailrace/codegen/locks.py"
    names = f"import runpy; runpy.run_path({str(tool)!r})"
    subprocess.run(["python3", "-I", "-S", "-c", names], check=True)
