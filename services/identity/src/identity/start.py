"""What identity makes sure of before it serves: signing keys, a verifier over them, and the operator's log-in."""

from fastapi import FastAPI

from identity.exchange import Exchange
from identity.keys import SigningKeys
from identity.tenants import ensure_operator
from identity.tokens import Issuer, SessionVerifier
from tailrace.db.database import Database
from tailrace.settings import Settings


async def prepare(app: FastAPI, settings: Settings) -> None:
    """May run in several processes at once, and again."""
    database: Database = app.state.database
    keys = SigningKeys(database, settings.secret, settings.token_lifetime)
    await keys.open()
    app.state.issuer = Issuer(keys, settings)
    verifier = SessionVerifier(keys, database, settings)
    app.state.verifier = verifier
    app.state.exchange = Exchange(keys, verifier, settings)
    await ensure_operator(database, settings)
