"""Documents that were parsed and found valid a moment ago, by their SHA-256: neither is done twice, and a client may send the hash alone.

That is the protocol of automatic persisted queries: a hash that is not known here is refused as `PersistedQueryNotFound`, and the client sends hash
and text together, once. Nothing is parsed of a text that is not its hash's.
"""

import hashlib
from collections import OrderedDict

from graphql import (
    DocumentNode,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    parse,
    specified_rules,
    validate,
)

from gateway.graph.plan import TOKENS, check_text
from gateway.refusals import NotPersisted
from tailrace.core.errors import BadRequest

_MOST = 1000


class Documents:
    """At most `most` of them, those that were used last. With `introspection` off, nobody asks for the schema."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool, most: int = _MOST) -> None:
        self._schema = schema
        self._rules = [*specified_rules] if introspection else [*specified_rules, NoSchemaIntrospectionCustomRule]
        self._most = most
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, text: str | None, hash: str | None) -> DocumentNode:
        """The document of a text, of a hash, or of both. Raises NotPersisted, BadRequest, TooMuch, GraphQLError for one that cannot be parsed, and
        an ExceptionGroup of such for one that is not valid."""
        name = hash if text is None else hashlib.sha256(text.encode()).hexdigest()
        if name is None:
            raise BadRequest("Send a document as `query`, or its hash.", field="/query")
        if text is not None and hash is not None and name != hash.lower():
            raise BadRequest("This is not the hash of the document.", field="/extensions/persistedQuery/sha256Hash")
        known = self._known.get(name.lower())
        if known is not None:
            self._known.move_to_end(name.lower())
            return known
        if text is None:
            raise NotPersisted
        document = self._read(text)
        self._known[name] = document
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return document

    def _read(self, text: str) -> DocumentNode:
        document = parse(text, max_tokens=TOKENS)
        check_text(document)
        if errors := validate(self._schema, document, self._rules, max_errors=20):
            raise ExceptionGroup("not valid", errors)
        return document
