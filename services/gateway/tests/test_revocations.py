"""What was revoked is refused at every request, also by whoever was let in a moment ago; and is forgotten when no token can name it any more."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from gateway_stand import ByHand, MakeStand, Stand, bearer, claims, signed, tell

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

LIFETIME = 3600
NOW = 1_800_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


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
    "log-out": lambda known: tell(known, _ended(), SESSION, 2),
    "deletion": lambda known: tell(known, UserDeleted(user_id=USER), USER, 5),
    "deactivation": lambda known: tell(known, _updated(active=False), USER, 5),
    "another version of a role": lambda known: tell(known, _role(), ROLE, 4),
    "withdrawn key": lambda known: tell(known, SigningKeyRevoked(key_id=KEY), uuid4(), 9),
}


@pytest.mark.parametrize("name", REVOKING)
def test_it_holds_as_long_as_a_token_may_live_and_then_is_forgotten(name: str) -> None:
    clock = Clock()
    revocations = Revocations(LIFETIME, clock=clock)
    assert not _refused(revocations)
    REVOKING[name](revocations)
    assert _refused(revocations)
    clock.now = NOW + LIFETIME + CLOCKS_DIFFER - 1
    tell(revocations, _ended(), uuid4(), at=clock.now)
    assert _refused(revocations)
    clock.now += 100
    tell(revocations, _ended(), uuid4(), at=clock.now)
    assert not _refused(revocations)
    assert len(revocations) == 2, "only what was said just now"


def test_what_concerns_others_revokes_nothing() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    tell(revocations, _ended(), uuid4(), 2)
    tell(revocations, UserDeleted(user_id=uuid4()), uuid4())
    tell(revocations, _role(uuid4()), uuid4(), 9)
    tell(revocations, SigningKeyRevoked(key_id=uuid4()), uuid4())
    tell(revocations, UserLoggedIn(user_id=USER, session_id=SESSION), SESSION)
    tell(revocations, _updated(active=True), USER)
    tell(revocations, _role(), ROLE, 3)
    assert not _refused(revocations)


def test_whoever_logs_in_again_in_the_same_second_is_let_in() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    tell(revocations, _ended(), SESSION, 2)
    assert _refused(revocations)
    assert not _refused(revocations, _passport(session_id=uuid4()))


def test_a_token_of_the_changed_role_is_let_in() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    tell(revocations, _role(), ROLE, 4)
    stale = _passport()
    fresh = Passport(stale.principal, "tailrace", str(KEY), {ROLE: 4})
    assert (_refused(revocations, stale), _refused(revocations, fresh)) == (True, False)


def test_events_that_come_twice_or_late_change_nothing() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    for sequence, active in ((2, False), (3, True), (2, False)):
        tell(revocations, _updated(active=active), USER, sequence)
    assert not _refused(revocations)
    tell(revocations, _updated(active=False), USER, 4)
    tell(revocations, _updated(active=True), USER, 3)
    assert _refused(revocations)
    tell(revocations, _updated(active=True), USER, 1, epoch=2)
    assert not _refused(revocations), "a restored database counts anew, in a later epoch"


def test_what_is_too_old_to_matter_is_not_kept() -> None:
    revocations = Revocations(LIFETIME, clock=Clock())
    for _ in range(100):
        tell(revocations, _ended(), uuid4(), at=NOW - LIFETIME - CLOCKS_DIFFER)
    assert len(revocations) == 0


async def test_a_token_that_was_just_good_is_refused_at_the_next_request(stand: Stand) -> None:
    content = claims()
    mine, other = bearer(signed(content)), bearer(signed({**content, "sid": str(uuid4())}))
    for headers in (mine, mine, other):
        async with stand.client.get("/v1/orders", headers=headers) as answer:
            assert answer.status == 200
    sid = UUID(content["sid"])
    tell(stand.feed.revocations, UserLoggedOut(user_id=uuid4(), session_id=sid), sid, 2, at=content["iat"])
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
    tell(stand.feed.revocations, UserLoggedOut(user_id=uuid4(), session_id=sid), sid, 2, at=content["iat"])
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
