"""Makes what answers GraphQL of what the services promise. Importing this loads the library."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from graphql import print_schema

from contracts.promised import openapi
from gateway.asking import Asking
from gateway.graph.endpoint import Endpoint
from gateway.graph.live import Live
from gateway.graph.offer import OFFER, Offer
from gateway.graph.schema import schema_of
from gateway.graph.types import Document
from gateway.pace import Pace
from gateway.screens import SCREENS
from tailrace.core.screens import Screen
from tailrace.settings import Settings


def sdl(documents: Mapping[str, Document]) -> str:
    """The schema of the whole fleet in the language of schemas, as the contracts keep it."""
    return print_schema(schema_of(documents, SCREENS, OFFER, Live(""))) + "\n"


def endpoint(
    settings: Settings,
    asking: Asking,
    pace: Callable[[], Pace],
    *,
    offer: Offer,
    screens: Sequence[Screen],
    promised: Path | None,
) -> Endpoint:
    """What answers in a process of the gateway. `promised` is as for `gateway.app.build`."""
    schema = schema_of(openapi(promised), screens, offer, Live(settings.kafka))
    return Endpoint(schema, asking, pace, introspection=settings.graphql_introspection)
