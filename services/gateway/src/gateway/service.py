"""The manifest of the gateway: it owns no data, and forwards by what the manifests promise."""

from collections.abc import Mapping
from typing import Any

from gateway.app import build
from gateway.screens import SCREENS
from tailrace.service import Service


def _graphql(documents: Mapping[str, dict[str, Any]]) -> str:
    from gateway.graph.build import sdl

    return sdl(documents)


service = Service(
    name="gateway", edge=True, build=build, screens=SCREENS, also_promises={"graphql/schema.graphql": _graphql}
)
