"""The manifest of the gateway: it owns no data, and forwards by what the manifests promise."""

from gateway.app import build
from gateway.screens import SCREENS
from tailrace.service import Service

service = Service(name="gateway", edge=True, build=build, screens=SCREENS)
