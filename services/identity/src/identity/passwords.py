"""Passwords are kept as argon2id hashes and checked off the event loop, in the same time whether or not there is anything to check against.

Each takes a turn of `turns`, which who asks for it waits for: before a transaction where there is a choice, and few within one.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from identity.turns import Turns

_argon2 = PasswordHash((Argon2Hasher(),))
_AT_ONCE = 2
# Each hash takes 64 MiB and a tenth of a second of CPU. A write has five seconds at the gateway: half of them to wait is enough.
_threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="argon2")
turns = Turns(at_once=_AT_ONCE, waiting=32, share=8, within=2.5)


async def hashed(password: str, tenant_id: UUID | None) -> str:
    """The hash to keep, in a turn of the tenant's. Raises Busy (503)."""
    async with turns.turn(tenant_id):
        return await asyncio.get_running_loop().run_in_executor(_threads, _argon2.hash, password)


async def check(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it matches, and a new hash to keep when the stored one was made with older parameters. To be called in a turn."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _check, password, stored)


def _check(password: str, stored: str | None) -> tuple[bool, str | None]:
    if stored is None:
        _argon2.verify(password, _nobodys())
        return False, None
    return _argon2.verify_and_update(password, stored)


@cache
def _nobodys() -> str:
    return _argon2.hash("nobody's password")
