"""A harness has nothing of the one before it but the routes of its application, and reads the outbox as events of their classes."""

from toy import NoteWritten, service

from tailrace_testing import Harness
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import TestIssuer


async def test_an_application_is_used_again_and_keeps_nothing(databases: Databases, issuer: TestIssuer) -> None:
    async def begun() -> Harness:
        harness = Harness(service, databases, issuer, await databases.take(service))
        await harness.start()
        assert (await harness.client.post("/v1/notes", json={"text": "x"})).status_code == 201
        assert await harness.admin.fetchval("SELECT count(*) FROM note") == 1
        return harness

    async def ended(harness: Harness) -> None:
        await harness.stop()
        await databases.give_back(harness.database_name)

    first, beside = await begun(), await begun()
    assert first.app is not beside.app
    before = first.app.state
    await ended(first)
    second = await begun()
    assert second.app is first.app
    assert not before._state.keys() - second.app.state._state.keys()
    shared = {name for name, value in before._state.items() if second.app.state._state[name] is value}
    assert shared <= {"topic", "teams", "serves_api"}, "what the manifest says, and that it serves"
    await ended(second)
    await ended(beside)


async def test_what_was_published_is_asked_for_by_its_class(toy: Harness) -> None:
    made = [(await toy.client.post("/v1/notes", json={"text": text})).json()["id"] for text in ("one", "two")]
    await toy.client.post(f"/v1/notes/{made[0]}/close")
    assert [each.event.text for each in await toy.published(NoteWritten)] == ["one", "two"]
    assert await toy.published(NoteWritten) == await toy.published("note.written")
    assert len(await toy.published()) == 3
