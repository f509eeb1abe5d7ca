"""The manifest of the gateway: it owns no data, and forwards by what the manifests promise."""

from collections.abc import Mapping
from typing import Any

from contracts.access import Accessed
from contracts.users import UserEvent
from gateway.app import build
from gateway.graph.offer import OFFER
from gateway.screens import SCREENS
from tailrace.service import Service


def _graphql(documents: Mapping[str, dict[str, Any]]) -> str:
    from gateway.graph.build import sdl

    return sdl(documents)


service = Service(
    name="gateway",
    edge=True,
    build=build,
    screens=SCREENS,
    follows=[UserEvent.topic, *(watch.topic for watch in OFFER.watches)],
    tells=[Accessed.topic],
    also_promises={"graphql/schema.graphql": _graphql},
)
