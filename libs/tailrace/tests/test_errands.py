"""An errand is run because its transaction committed, until it is answered or its time is over, and its outcome is applied once."""

import asyncio
from dataclasses import replace
from typing import ClassVar

import pytest
from errand_toy import GOOD, Asking, Errands, Said
from partner import DROP, HANG, PartnerListener, answer
from pydantic import BaseModel
from sqlalchemy import func, select
from toy import service

import tailrace.errands.runner as running
from tailrace.core.payload import Payload
from tailrace.db.outbox import RecordsNothing
from tailrace.db.tables import errand as errand_table
from tailrace.errands.calls import Call
from tailrace.errands.errands import Errand
from tailrace.errands.guard import TargetRefused
from tailrace.errands.secrets import Secret
from tailrace_testing import MakeHarness
from tailrace_testing.gateway import eventually


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Errands:
    toy = Errands()
    await toy.start(make_harness)
    return toy


async def test_it_is_run_after_the_commit_once_and_leaves_nothing(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        runner = toy.runner(partner)
        id = await toy.send(partner)
        assert (await runner.run_due(), await runner.run_due()) == (1, 0)
        (asked,) = partner.asked
    assert (asked.body, asked.headers["idempotency-key"]) == (b'{"word": "sure"}', str(id))
    assert (await toy.notes(), await toy.left()) == (["sure: yes"], (0, 0))
    (outcome,) = toy.outcomes
    assert (outcome.errand_id, outcome.answer, outcome.tries, outcome.ok) == (id, Said(word="yes"), 1, True)


async def test_what_is_rolled_back_is_not_run(toy: Errands) -> None:
    async with PartnerListener() as partner:
        with pytest.raises(ValueError, match="undone"):
            async with toy.h.tx() as tx:
                await toy.ask.send(tx, Call("POST", partner.url), Asking(word="x"))
                raise ValueError("undone")
        assert await toy.runner(partner).run_due() == 0
        assert partner.connections == 0


async def test_what_it_leads_to_names_its_cause(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        async with toy.h.tx() as tx:
            await toy.ask.send(tx, Call("POST", partner.url), Asking(word="x"))
            correlation = tx.context.correlation_id
        await toy.runner(partner).run_due()
    (note,) = await toy.h.published("note.written")
    assert (note.correlation_id, note.actor_id) == (correlation, f"partner:{toy.ask.name}")


async def test_it_is_tried_again_under_the_same_key_until_it_is_answered(toy: Errands) -> None:
    bad = [
        DROP,
        answer(503),
        answer(429),
        answer(200, b"<html>", kind="text/html"),
        answer(200, b"{"),
        answer(200, b'{"a":1}'),
    ]
    async with PartnerListener([*bad, GOOD]) as partner:
        runner = toy.runner(partner)
        id = await toy.send(partner)
        assert await runner.run_due() == 1
        while (await toy.left())[0]:
            assert toy.outcomes == []
            await toy.come(runner)
        assert {asked.headers["idempotency-key"] for asked in partner.asked} == {str(id)}
        assert len(partner.asked) == len(bad) + 1
    assert [(each.answer, each.tries) for each in toy.outcomes] == [(Said(word="yes"), len(bad) + 1)]
    assert await toy.notes() == ["sure: yes"]


async def test_pauses_grow_spread_out_and_honour_retry_after(toy: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, float, float]] = []

    def most(tries: int, first: float, longest: float) -> float:
        drawn.append((tries, first, longest))
        return min(longest, first * 2.0 ** (tries - 1))

    monkeypatch.setattr(running, "full_jitter", most)
    async with PartnerListener([answer(500)] * 3 + [answer(429, headers={"Retry-After": "120"})]) as partner:
        runner = toy.runner(partner)
        await toy.send(partner)
        await runner.run_due()
        pauses = [await toy.pause()]
        for _ in range(3):
            await toy.come(runner)
            pauses.append(await toy.pause())
    assert pauses == [pytest.approx(expected, abs=1.5) for expected in (1, 2, 4, 120)]
    assert [tries for tries, *_ in drawn] == [1, 2, 3, 4]


async def test_an_answer_that_says_no_is_an_outcome(toy: Errands) -> None:
    async with PartnerListener([answer(404, b'{"no": 1}')]) as partner:
        await toy.send(partner)
        await toy.runner(partner).run_due()
        assert len(partner.asked) == 1
    (outcome,) = toy.outcomes
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body, outcome.answer, outcome.ok) == (
        404,
        b'{"no": 1}',
        None,
        False,
    )


async def test_what_can_never_be_ends_at_once(toy: Errands) -> None:
    """The guard of the runner counts, whatever could be asked for."""
    async with PartnerListener([answer(body=b"x" * 300_000)]) as partner:
        await toy.send(partner, "large")
        await toy.runner(partner).run_due()
        await toy.send(partner, "inward")
        await toy.runner().run_due()
        assert partner.connections == 1
    assert await toy.notes() == ["large: too-large", "inward: refused-port"]


async def test_its_deadline_ends_it_with_the_last_answer(toy: Errands) -> None:
    async with PartnerListener([answer(503, b"down")]) as partner:
        runner = toy.runner(partner)
        await toy.send(partner, "never")
        await runner.run_due()
        await toy.h.admin.execute("UPDATE errand SET deadline = now() + interval '20 milliseconds'")
        await toy.come(runner)
        await toy.come(runner)
    (outcome,) = toy.outcomes
    assert (outcome.failure, outcome.ok) == ("deadline", False)
    assert await toy.notes() == ["never: deadline"]
    assert await toy.left() == (0, 0)


async def test_retry_after_beyond_the_deadline_ends_it(toy: Errands) -> None:
    async with PartnerListener([answer(429, headers={"Retry-After": "3600"})]) as partner:
        await toy.send(partner)
        await toy.h.admin.execute("UPDATE errand SET deadline = now() + interval '10 minutes'")
        await toy.runner(partner).run_due()
    (outcome,) = toy.outcomes
    assert (outcome.failure, outcome.response and outcome.response.status) == ("deadline", 429)


async def test_one_that_is_cancelled_has_no_outcome(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        id = await toy.send(partner)
        async with toy.h.tx() as tx:
            assert await toy.ask.cancel(tx, id)
        async with toy.h.tx() as tx:
            assert not await toy.ask.cancel(tx, id)
        assert await toy.runner(partner).run_due() == 0
        # And while its call is under way.
        partner.decide = lambda asked: HANG
        id = await toy.send(partner)
        going = asyncio.create_task(toy.runner(partner).run_due())
        await eventually(lambda: _now(len(partner.asked)), bool, what="the call")
        async with toy.h.tx() as tx:
            assert await toy.ask.cancel(tx, id)
        partner.release()
        await going
    assert (toy.outcomes, await toy.left()) == ([], (0, 0))


async def test_an_outcome_that_cannot_be_applied_is_kept_and_the_call_not_made_again(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        runner = toy.runner(partner)
        await toy.send(partner)
        toy.fails = 2
        await runner.run_due()
        assert 50 < await toy.pause() < 70
        await toy.come(runner)
        await toy.come(runner)
        assert partner.connections == 1
    assert [each.answer for each in toy.outcomes] == [Said(word="yes")] * 3
    assert (await toy.notes(), await toy.left()) == (["sure: yes"], (0, 0))


async def test_a_secret_stands_in_no_row_and_no_line(
    toy: Errands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARTNER_SECRET_TOY", "s3cr3t-value")
    echo = answer(200, b'{"word": "s3cr3t-value"}', headers={"Location": "s3cr3t-value"})
    async with PartnerListener([answer(500, b"s3cr3t-value"), echo]) as partner:
        call = Call("POST", partner.url, {"Authorization": Secret("env:PARTNER_SECRET_TOY", "Bearer ")}, json={})
        await toy.send(partner, "secret", call=call)
        runner = toy.runner(partner)
        toy.fails = 1
        await runner.run_due()
        await toy.come(runner)
        rows = await toy.h.admin.fetch("SELECT e::text, encode(answer_body, 'escape') FROM errand e")
        assert rows
        assert "s3cr3t" not in str(rows)
        await toy.come(runner)
        assert [asked.headers["authorization"] for asked in partner.asked] == ["Bearer s3cr3t-value"] * 2
    assert await toy.notes() == ["secret: ***"]
    assert "s3cr3t" not in "".join(capsys.readouterr())


async def test_a_secret_that_is_missing_is_waited_for(toy: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    async with PartnerListener([GOOD]) as partner:
        call = Call("POST", partner.url, {"Authorization": Secret("env:PARTNER_SECRET_LATE")})
        await toy.send(partner, call=call)
        runner = toy.runner(partner)
        await runner.run_due()
        assert partner.connections == 0
        monkeypatch.setenv("PARTNER_SECRET_LATE", "there")
        await toy.come(runner)
    assert await toy.notes() == ["sure: yes"]


async def test_what_is_no_proper_address_is_refused_when_it_is_asked_for(toy: Errands) -> None:
    async with toy.h.tx() as tx:
        with pytest.raises(TargetRefused):
            await toy.ask.send(tx, Call("POST", "http://2130706433/"), Asking(word="x"))
        with pytest.raises(TypeError, match="about"):
            await toy.ask.send(tx, Call("POST", "http://public.example/"))
    assert await toy.left() == (0, 0)


async def test_what_is_asked_is_its_tenants_alone(toy: Errands) -> None:
    async with PartnerListener() as partner:
        await toy.send(partner)
    for tenant, seen in ((toy.h.tenant, 1), (toy.h.other_tenant, 0)):
        async with toy.h.tx(tenant) as tx:
            assert await tx.scalar(select(func.count()).select_from(errand_table)) == seen


async def test_what_an_older_version_asked_about_is_read(toy: Errands) -> None:
    class Renamed(Payload):
        version: ClassVar[int] = 2
        word: str
        loud: bool = False

    async with PartnerListener([GOOD]) as partner:
        await toy.send(partner)
        toy.ask._about = Renamed
        await toy.runner(partner).run_due()
    assert toy.outcomes[0].about == Renamed(word="sure")


async def test_what_a_newer_version_asked_about_waits_uncalled(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        await toy.send(partner)
        await toy.h.admin.execute("UPDATE errand SET about_version = 2")
        await toy.runner(partner).run_due()
        assert (partner.connections, toy.outcomes) == (0, [])
        assert 50 < await toy.pause() < 70


async def test_a_projection_sends_none(toy: Errands) -> None:
    """Rebuilt, it would call again."""
    async with toy.h.tx() as tx:
        with tx.recording_nothing("toy.heard"), pytest.raises(RecordsNothing, match="sent the errand toy"):
            await toy.ask.send(tx, Call("POST", "http://public.example/"), Asking(word="x"))
    assert await toy.left() == (0, 0)


def test_a_call_takes_a_minute_at_most() -> None:
    with pytest.raises(ValueError, match="at most"):
        Errand("toy.slow", timeout=61)
    with pytest.raises(ValueError, match="must be called toy"):
        replace(service, errands=[Errand("other.errand")])


def test_an_answer_is_read_as_strictly_as_a_request() -> None:
    class Lax(BaseModel):
        word: str

    with pytest.raises(TypeError, match=r"toy\.lax is no WireModel"):
        Errand("toy.lax", answer=Lax)  # type: ignore[arg-type]


async def _now(value: int) -> int:
    return value
