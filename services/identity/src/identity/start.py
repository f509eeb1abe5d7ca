"""What identity makes sure of before it serves: signing keys, a verifier over them, and the operator's log-in."""

from fastapi import FastAPI

from identity.keys import SigningKeys
from identity.tenants import ensure_operator
from identity.tokens import Issuer, SessionVerifier
from tailrace.database import Database
from tailrace.settings import Settings


async def prepare(app: FastAPI, settings: Settings) -> None:
    """May run in several processes at once, and again."""
    database: Database = app.state.database
    keys = SigningKeys(database, settings.secret)
    await keys.open()
    app.state.issuer = Issuer(keys, settings)
    app.state.verifier = SessionVerifier(keys, database, settings)
    await ensure_operator(database, settings)
