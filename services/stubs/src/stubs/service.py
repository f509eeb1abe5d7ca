"""The manifest of the stand-ins: nothing of their own is kept, the gateway does not lead here, and no chart deploys them."""

from stubs.app import build
from tailrace.service import Service

service = Service(name="stubs", build=build, stands_in=True, released=False)
