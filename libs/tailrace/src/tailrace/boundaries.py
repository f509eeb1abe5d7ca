"""The import boundaries of the fleet, for import-linter: what must not know what, with every service in its place."""

from collections.abc import Iterable, Sequence

from tailrace.service import Service

_LIBRARIES = ("tailrace", "tailrace_testing", "tailrace_demo", "debezium_connector_config", "contracts")


def import_boundaries(services: Sequence[Service]) -> str:
    """The text of `.importlinter`."""
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
        _forbidden(
            "facts", "Contracts need only the kit's value types", ["contracts"], ["sqlalchemy", "fastapi", "aiokafka"]
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
    return "# Generated from the manifests: tailrace describe.\n" + "\n".join((head, *contracts))


def _forbidden(key: str, name: str, source: Iterable[str], forbidden: Iterable[str]) -> str:
    return _contract(key, name, "forbidden", source_modules=source, forbidden_modules=forbidden)


def _contract(key: str, name: str, kind: str, **lists: Iterable[str]) -> str:
    return _section(f"importlinter:contract:{key}", name=name, type=kind, **lists)


def _section(title: str, **entries: str | Iterable[str]) -> str:
    lines = [f"[{title}]"]
    for name, value in entries.items():
        lines += [f"{name} = {value}"] if isinstance(value, str) else [f"{name} =", *(f"    {each}" for each in value)]
    return "\n".join(lines) + "\n"
