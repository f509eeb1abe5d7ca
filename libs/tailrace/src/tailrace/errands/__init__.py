"""Calls to others on the Internet that survive whatever happens here: asked for in a transaction, made outside of any, their outcome applied once."""
