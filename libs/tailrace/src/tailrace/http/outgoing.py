"""Calls out, by one HTTP client made in one way: no redirect is followed, no proxy of the environment stands between parts that are near."""

import logging
import ssl
from functools import cache

import httpx2

# It would log every call at INFO.
logging.getLogger("httpx2").setLevel("WARNING")

UNREACHED = (httpx2.HTTPError, TimeoutError, OSError)
"""What a call raises that got no answer, or, after `raise_for_status`, one that says no."""


def client(base: str = "", *, within: float, trust: ssl.SSLContext | None = None) -> httpx2.AsyncClient:
    """A client for addresses below `base`, each step of a call in so many seconds: connecting, sending, waiting for more.

    `trust` takes the place of the machine's certificates.
    """
    # Reading the machine's certificates takes tens of milliseconds: not for plain HTTP, which no redirect leads out of.
    verify = (trust or _trust()) if base.startswith("https:") else False
    return httpx2.AsyncClient(base_url=base, timeout=within, trust_env=False, follow_redirects=False, verify=verify)


@cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
