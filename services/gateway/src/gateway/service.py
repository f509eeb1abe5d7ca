"""The manifest of the gateway: it owns no data, and forwards by what the manifests promise."""

from contracts.access import Accessed
from contracts.users import UserEvent
from gateway.app import build
from gateway.screens import SCREENS
from tailrace.service import Service

service = Service(
    name="gateway", edge=True, build=build, screens=SCREENS, follows=[UserEvent.topic], tells=[Accessed.topic]
)
