"""Passwords are kept as argon2id hashes and checked off the event loop, in the same time whether or not there is anything to check against."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_argon2 = PasswordHash((Argon2Hasher(),))
# Each hash takes 64 MiB and a tenth of a second of CPU: two at once, the others queue.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _argon2.hash, password)


async def check(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it matches, and a new hash to keep when the stored one was made with older parameters."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _check, password, stored)


def _check(password: str, stored: str | None) -> tuple[bool, str | None]:
    if stored is None:
        _argon2.verify(password, _nobodys())
        return False, None
    return _argon2.verify_and_update(password, stored)


@cache
def _nobodys() -> str:
    return _argon2.hash("nobody's password")
