"""A slot that lost something is recreated, and what it may have lost is published again before streaming goes on.

Every step may be cut off and the whole run again. The new slot stands first, under a name of its own: whatever commits while rows are being
published again is read from it later. It gets the service's slot name only when every row is in Kafka, so a repair that was cut off shows.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from tailrace.capture import history, slots
from tailrace.capture.canary import Witness, canary_id, canary_reader
from tailrace.capture.connect_api import Rest
from tailrace.capture.connectors import connector_config, deployed_connector, lay_password
from tailrace.capture.outbox_retention import MARGIN
from tailrace.capture.republish import republish
from tailrace.core.names import slot_name
from tailrace.core.operator_error import OperatorError
from tailrace.service import Service
from tailrace.settings import Settings

Say = Callable[[str], None]
Publish = Callable[[Any], Awaitable[int]]
"""Publishes what readers have to hear, by a connection of the capture role, and says how many rows that was."""


class Repairs:
    """Repairs for one installation. `deployed` names connectors whose addresses the Connect worker looks up (`deploy/kafka-connect`)."""

    def __init__(self, settings: Settings, *, deployed: bool = False) -> None:
        self.settings = settings
        self._deployed = deployed

    def config(self, service: Service) -> dict[str, str]:
        """The connector of a service, as it is to be, with its password where Connect finds it."""
        if self._deployed:
            return deployed_connector(service, self.settings).render()
        lay_password(service, self.settings)
        return connector_config(service, self.settings)

    async def put_connector(self, service: Service, rest: Rest) -> None:
        """Bring back a connector that was deleted. Its slot and its stored offsets still stand, so nothing is lost."""
        await rest.put(service.name, self.config(service))

    async def restart(self, service: Service, rest: Rest, *, whole: bool) -> None:
        """Begin a connector's task, or the whole connector, from the start, on a connection of its own."""
        async with slots.connected(service, self.settings) as connection:
            await slots.terminate(connection, slot_name(service.name))
        await (rest.restart_all(service.name) if whole else rest.restart_task(service.name))

    async def renew(
        self, service: Service, rest: Rest, say: Say, *, everything: bool = False, publish: "Publish | None" = None
    ) -> int | None:
        """Recreate the slot and publish again what its predecessor may have lost; returns how many rows that was.

        That is what was recorded since the last canary that arrived, less a margin, or `everything` retained, or what `publish` publishes by itself
        while the connector stands still. None when there was only the end of an earlier repair left to do. Raises RepairUnderWay, OperatorError,
        OSError or asyncpg's errors; then the next call begins again.
        """
        name, main, spare = service.name, slot_name(service.name), slots.spare_name(service)
        async with slots.connected(service, self.settings) as connection, slots.alone(connection, service):
            if service.name not in await slots.installed(connection):
                raise OperatorError(f"{name} was uninstalled", f"install it again: tailrace prepare {name}")
            if publish is None and (await history.look(connection, service, None)).pending is not None:
                raise OperatorError(
                    f"the database of {name} was restored behind Kafka",
                    f"decide first: tailrace restored lost {name}, tailrace restored accept {name}",
                )
            count = None
            if everything or publish is not None or not await self._is_made_good(connection, main, spare):
                if not (await slots.outbox(connection, service, None)).published:
                    await slots.restore_publication(service, self.settings)
                # Before the connector is stopped: a repair that is cut off shows by the slot that is missing.
                await slots.drop(connection, main)
                say("stopping its connector")
                await rest.hold(name, self.config(service))
                for each in (main, spare):
                    await slots.drop(connection, each)
                say("recreating its slot")
                await slots.create(connection, spare)
                if publish is not None:
                    count = await publish(connection)
                else:
                    count = await self._publish_again(connection, service, spare, say, everything=everything)
                # With offsets of the old slot, the connector would refuse the new one (offset.mismatch.strategy).
                await rest.forget_offsets(name)
                await slots.copy(connection, spare, main)
            await slots.let_go_over(connection, service, self.settings, main)
            await rest.resume(name)
            await slots.drop(connection, spare)
            return count

    async def stop(self, service: Service, rest: Rest) -> None:
        """Let nothing more of a service reach Kafka: its connector is stopped, and its slots are gone."""
        async with slots.connected(service, self.settings) as connection, slots.alone(connection, service):
            await rest.hold(service.name, self.config(service))
            for each in (slot_name(service.name), slots.spare_name(service)):
                await slots.drop(connection, each)

    async def _publish_again(self, connection: Any, service: Service, spare: str, say: Say, *, everything: bool) -> int:
        """And after all of it the last canary before the new slot: without that, Kafka would know of nothing until a process writes another."""
        arrived, witness = await self._known_to_have_arrived(service)
        since = None if everything or arrived is None else arrived - MARGIN
        say(
            f"publishing again what was recorded since {since:%Y-%m-%d %H:%M:%S} UTC"
            if since
            else "publishing again all that is retained"
        )
        last = await slots.last_passed(connection, service, spare, witness)
        return await republish(connection, service, self.settings.kafka, since, say, then=last)

    async def _is_made_good(self, connection: Any, main: str, spare: str) -> bool:
        """Whether an earlier repair came as far as giving the new slot its name."""
        found = await slots.slots(connection)
        return spare in found and main in found and found[main].lost is None

    async def _known_to_have_arrived(self, service: Service) -> tuple[datetime | None, Witness | None]:
        """When the newest canary in Kafka was recorded, before which nothing is missing there, and the one that came furthest; None without one."""
        async with canary_reader(self.settings.kafka) as canaries:
            arrival = (await canaries.newest()).get(canary_id(service.name))
            return (None if arrival is None else arrival.recorded_at), canaries.furthest.get(canary_id(service.name))
