"""The import boundaries of the fleet, for import-linter: what must not know what, with every service in its place."""

from collections.abc import Iterable, Sequence

from tailrace.service import Service

_ROOMS = (
    "cli",
    "stack | codegen",
    "runtime",
    "capture | rebuild",
    "service",
    "errands | storage | transfer",
    "jobs",
    "http",
    "redrive",
    "documents | pricing",
    "messaging",
    "kafka | verify",
    "db",
    "observability",
    "settings",
    "core",
)
"""From the top: a room may import from those below it. `|`: neither imports the other."""
_TOOLS = [f"tailrace.{room}" for room in ("cli", "stack", "codegen")]
_NAMES = [f"tailrace.{room}" for floor in _ROOMS for room in floor.split(" | ")]
_ABOVE_CORE = [room for room in _NAMES if room != "tailrace.core"]
_IN_PRODUCTION = [room for room in _NAMES if room not in _TOOLS]
_SERVERS = ["sqlalchemy", "fastapi", "aiokafka", "pydantic_settings"]
_LIBRARIES = ("tailrace", "tailrace_testing", "tailrace_demo", "debezium_connector_config", "contracts")


def import_contracts(services: Sequence[Service]) -> str:
    """The text of the file that `lint-imports --config` reads."""
    names = sorted(service.name for service in services)
    contracts = (
        _contract("services", "Services never import one another", "independence", modules=names),
        _forbidden(
            "kit",
            "The kit knows no service and no contract",
            ["tailrace", "debezium_connector_config"],
            ["contracts", *names],
        ),
        _forbidden("standalone", "debezium_connector_config stands alone", ["debezium_connector_config"], ["tailrace"]),
        _contract(
            "rooms",
            "The kit's rooms stand above one another",
            "layers",
            containers=["tailrace"],
            layers=_ROOMS,
            exhaustive="True",
        ),
        _contract(
            "circles",
            "No room, and no module inside a room, imports in a circle",
            "acyclic_siblings",
            ancestors=["tailrace"],
        ),
        _forbidden(
            "values",
            "Events and values need pydantic and no server",
            ["tailrace.core", "contracts"],
            [*_ABOVE_CORE, *_SERVERS],
        ),
        _forbidden(
            "runtime",
            "What runs in production holds no development stack and no code generator",
            [*_IN_PRODUCTION, "contracts", *names],
            _TOOLS,
        ),
        _forbidden(
            "demo",
            "The demo computes its figures from nothing but its own requests",
            ["tailrace_demo"],
            ["tailrace", "contracts", *names],
        ),
        _forbidden(
            "testing",
            "Nothing that runs in production imports the test fixtures",
            ["tailrace", "contracts", *names],
            ["tailrace_testing", "tailrace_demo", "pytest"],
        ),
    )
    head = _section("importlinter", root_packages=[*_LIBRARIES, *names], include_external_packages="True")
    return "# Built from the manifests: tailrace describe.\n" + "\n".join((head, *contracts))


def _forbidden(key: str, name: str, source: Iterable[str], forbidden: Iterable[str]) -> str:
    return _contract(key, name, "forbidden", source_modules=source, forbidden_modules=forbidden)


def _contract(key: str, name: str, kind: str, **lists: Iterable[str]) -> str:
    return _section(f"importlinter:contract:{key}", name=name, type=kind, **lists)


def _section(title: str, **entries: str | Iterable[str]) -> str:
    lines = [f"[{title}]"]
    for name, value in entries.items():
        lines += [f"{name} = {value}"] if isinstance(value, str) else [f"{name} =", *(f"    {each}" for each in value)]
    return "\n".join(lines) + "\n"
