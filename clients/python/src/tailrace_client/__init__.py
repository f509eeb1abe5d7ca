"""Asks a Tailrace platform, and does by itself what a careful client does: see `Client` and `AsyncClient`."""

from tailrace_client.clients import AsyncClient, Client
from tailrace_client.contract import Operation, operations
from tailrace_client.flow import Policy, Tokens
from tailrace_client.problems import Conflict, FieldError, Forbidden, Missing, NotLoggedIn, Problem, Stale, Unavailable

__all__ = [
    "AsyncClient",
    "Client",
    "Conflict",
    "FieldError",
    "Forbidden",
    "Missing",
    "NotLoggedIn",
    "Operation",
    "Policy",
    "Problem",
    "Stale",
    "Tokens",
    "Unavailable",
    "operations",
]
