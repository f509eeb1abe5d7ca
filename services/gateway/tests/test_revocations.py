"""What was revoked is refused at every request, also by whoever was let in a moment ago; and is forgotten when no token can name it any more."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from gateway_stand import ByHand, MakeStand, Stand, bearer, claims, signed

from contracts.users import (
    RoleChanged,
    SigningKeyRevoked,
    UserDeleted,
    UserEvent,
    UserLoggedIn,
    UserLoggedOut,
    UserUpdated,
)
from gateway.refusals import Revoked
from gateway.revocations import CLOCKS_DIFFER, Revocations
from gateway.tokens import Passport
from tailrace.core.context import Principal
from tailrace.core.events import Meta

LIFETIME = 3600
NOW = 1_800_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def _tell(
    revocations: Revocations, event: UserEvent, aggregate: UUID, sequence: int = 1, *, at: float = NOW, epoch: int = 1
) -> None:
    meta = Meta(
        event_id=uuid4(),
        type=event.type,
        version=1,
        topic=event.topic,
        aggregate_id=aggregate,
        sequence=sequence,
        epoch=epoch,
        tenant_id=uuid4(),
        correlation_id=uuid4(),
        causation_id=None,
        traceparent=None,
        time=datetime.fromtimestamp(at, UTC),
        partition=0,
        offset=0,
    )
    revocations.apply(meta, event.model_dump(mode="json"))


USER, SESSION, ROLE, KEY = uuid4(), uuid4(), uuid4(), uuid4()


def _passport(**changes: Any) -> Passport:
    who = {"user_id": USER, "tenant_id": uuid4(), "session_id": SESSION, **changes}
    return Passport(Principal(**who), "tailrace", str(KEY), {ROLE: 3})


def _refused(revocations: Revocations, passport: Passport | None = None) -> bool:
    try:
        revocations.check(passport or _passport())
    except Revoked:
        return True
    return False


def _ended() -> UserEvent:
    return UserLoggedOut(user_id=USER, session_id=SESSION, reason="reuse")


def _updated(*, active: bool) -> UserEvent:
    return UserUpdated(user_id=USER, email="a@b.example", name="A", roles=[], active=active)


def _role(role: UUID = ROLE) -> UserEvent:
    return RoleChanged(role_id=role, name="sales", scopes=["orders:read"])


REVOKING: dict[str, Callable[[Revocations], None]] = {
    "log-out": lambda known: _tell(known, _ended(), SESSION, 2),
    "deletion": lambda known: _tell(known, UserDeleted(user_id=USER), USER, 5),
    "deactivation": lambda known: _tell(known, _updated(active=False), USER, 5),
    "another version of a role": lambda known: _tell(known, _role(), ROLE, 4),
    "withdrawn key": lambda known: _tell(known, SigningKeyRevoked(key_id=KEY), uuid4(), 9),
}


@pytest.mark.parametrize("name", REVOKING)
def test_it_holds_as_long_as_a_token_may_live_and_then_is_forgotten(name: str) -> None:
    clock = Clock()
    revocations = Revocations(LIFETIME, clock=clock)
    assert not _refused(revocations)
    REVOKING[name](revocations)
    assert _refused(revocations)
    clock.now = NOW + LIFETIME + CLOCKS_DIFFER - 1
    _tell(revocations, _ended(), uuid4(), at=clock.now)
    assert _refused(revocations)
    clock.now += 100
    _tell(revocations, _ended(), uuid4(), at=clock.now)
    assert not _refused(revocations)
    assert len(revocations) == 2, "only what was said just now"


def test_what_concerns_others_revokes_nothing() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    _tell(revocations, _ended(), uuid4(), 2)
    _tell(revocations, UserDeleted(user_id=uuid4()), uuid4())
    _tell(revocations, _role(uuid4()), uuid4(), 9)
    _tell(revocations, SigningKeyRevoked(key_id=uuid4()), uuid4())
    _tell(revocations, UserLoggedIn(user_id=USER, session_id=SESSION), SESSION)
    _tell(revocations, _updated(active=True), USER)
    _tell(revocations, _role(), ROLE, 3)
    assert not _refused(revocations)


def test_whoever_logs_in_again_in_the_same_second_is_let_in() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    _tell(revocations, _ended(), SESSION, 2)
    assert _refused(revocations)
    assert not _refused(revocations, _passport(session_id=uuid4()))


def test_a_token_of_the_changed_role_is_let_in() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    _tell(revocations, _role(), ROLE, 4)
    stale = _passport()
    fresh = Passport(stale.principal, "tailrace", str(KEY), {ROLE: 4})
    assert (_refused(revocations, stale), _refused(revocations, fresh)) == (True, False)


def test_events_that_come_twice_or_late_change_nothing() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    for sequence, active in ((2, False), (3, True), (2, False)):
        _tell(revocations, _updated(active=active), USER, sequence)
    assert not _refused(revocations)
    _tell(revocations, _updated(active=False), USER, 4)
    _tell(revocations, _updated(active=True), USER, 3)
    assert _refused(revocations)
    _tell(revocations, _updated(active=True), USER, 1, epoch=2)
    assert not _refused(revocations), "a restored database counts anew, in a later epoch"


def test_what_is_too_old_to_matter_is_not_kept() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    for _ in range(100):
        _tell(revocations, _ended(), uuid4(), at=NOW - LIFETIME - CLOCKS_DIFFER)
    assert len(revocations) == 0


async def test_a_token_that_was_just_good_is_refused_at_the_next_request(stand: Stand) -> None:
    content = claims()
    mine, other = bearer(signed(content)), bearer(signed({**content, "sid": str(uuid4())}))
    for headers in (mine, mine, other):
        async with stand.client.get("/v1/orders", headers=headers) as answer:
            assert answer.status == 200
    sid = UUID(content["sid"])
    _tell(stand.feed.revocations, UserLoggedOut(user_id=uuid4(), session_id=sid), sid, 2, at=content["iat"])
    for _ in range(2):
        async with stand.client.get("/v1/orders", headers=mine) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
            assert (await answer.json())["type"] == "urn:tailrace:problem:token-revoked"
    async with stand.client.get("/v1/orders", headers=other) as answer:
        assert answer.status == 200
    assert len(stand.orders.seen) == 4


async def test_revoked_tokens_are_charged_to_their_address(make_stand: MakeStand) -> None:
    stand = await make_stand(address_rate=0.1, address_burst=3)
    content = claims()
    sid = UUID(content["sid"])
    _tell(stand.feed.revocations, UserLoggedOut(user_id=uuid4(), session_id=sid), sid, 2, at=content["iat"])
    statuses = []
    for _ in range(4):
        async with stand.client.get("/v1/orders", headers=bearer(signed(content))) as answer:
            statuses.append(answer.status)
    assert statuses == [401, 401, 401, 429]


async def test_nobody_is_let_in_before_what_was_revoked_is_known(make_stand: MakeStand) -> None:
    stand = await make_stand(begun=False)
    async with stand.client.get("/v1/orders", headers=bearer()) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    async with stand.client.get("/v1/public/x") as answer:
        assert answer.status == 200
    async with stand.client.get("/health/ready") as answer:
        assert (answer.status, (await answer.json())["for"]) == (503, {"revocations": "not read yet"})
    await _begin(stand.feed)
    async with stand.client.get("/v1/orders", headers=bearer()) as answer:
        assert answer.status == 200
    async with stand.client.get("/health/ready") as answer:
        assert await answer.json() == {"status": "ready", "revocations": "current"}
    stand.feed.revocations.is_behind("Kafka: away")
    async with stand.client.get("/health/ready") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        said = (await answer.json())["revocations"]
        assert said.startswith("since 20") and said.endswith(": Kafka: away")
    async with stand.client.get("/v1/orders", headers=bearer()) as answer:
        assert answer.status == 200


async def _begin(feed: ByHand) -> None:
    feed.begun.set()
    await feed.current.wait()
