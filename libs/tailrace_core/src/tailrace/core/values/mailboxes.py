"""E-mail addresses that mail goes to: nothing in them means more to a mail server or in a header than a name (RFC 5321, RFC 5322, RFC 2047)."""

import re

import idna

from tailrace.core.values.text import address

__all__ = ["mailbox", "sendable"]

_SPECIAL = re.compile(r'[()<>\[\]:;,\\"]|=\?')
"""What begins a group, a list, a comment, a quotation or an encoded word; a domain in brackets is an address of a machine."""
_SHAPE = re.compile(r"[^@]+@[^@]+")


def mailbox(text: str) -> str:
    """An `address` as it is kept. Raises ValueError for what holds more than a name and a domain."""
    _refuse_specials(kept := address(text))
    return kept


def sendable(kept: str) -> str:
    """The address as mail servers and headers have it: its domain in ASCII (IDNA 2008). Raises ValueError for what is none.

    A name that is no ASCII stays: such mail needs SMTPUTF8 (RFC 6531).
    """
    _refuse_specials(kept)
    if not _SHAPE.fullmatch(kept) or not kept.isprintable() or " " in kept:
        raise ValueError("this is no address of a mailbox")
    name, _, domain = kept.rpartition("@")
    try:
        return f"{name}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise ValueError(f"the domain is not valid: {error}") from error


def _refuse_specials(text: str) -> None:
    if found := _SPECIAL.search(text):
        raise ValueError(f"{found[0]} is nothing that an address holds here")
