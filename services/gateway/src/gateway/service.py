"""The manifest of the gateway: it owns no data, and what it forwards is told to it by a file."""

from gateway.app import build
from tailrace.service import Service

service = Service(name="gateway", build=build)
