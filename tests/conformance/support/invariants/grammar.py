"""How an event is called: the context, then the thing unless the context is the thing, then what happened to it. Topics are eternal, names too.

The context is the topic's first word, or a prefix that the design gives. The last word is a past participle or ends in one
(`order.confirmed`, `shipment.carrier.created`, `order.reservation_requested`).
"""

import re

GIVEN_CONTEXTS = frozenset("iam crm scm wms mrp ecom hr epm ehs iot meeting task".split())
"""Prefixes of the design, on topics that begin otherwise."""
GIVEN = frozenset(
    "user.login user.logout meeting.created meeting.updated task.created task.updated task.completed task.due_soon".split()
)
"""Names of the design that differ from the rule, and stand as they are."""
_IRREGULAR = frozenset(
    "become begun bought bound broken brought built caught chosen cut dealt done drawn driven felt forgotten fought found frozen given gone"
    " grown heard held hidden hit kept known laid led left lent lost made meant met paid put read risen run said seen sent set shown shut sold"
    " spent split spoken struck taken taught thrown told undone unmade withdrawn won worn written".split()
)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*){1,2}")


def fault(topic: str, type: str) -> str | None:
    """What is wrong with an event of this `type` on this `topic`, or None."""
    if type in GIVEN:
        return None
    if not _NAME.fullmatch(type):
        return "is no <context>.<what happened> or <context>.<thing>.<what happened> in lower case"
    context, happened = type.partition(".")[0], type.rpartition(".")[2].rpartition("_")[2]
    first = topic.partition(".")[0]
    if context not in {first, *GIVEN_CONTEXTS}:
        return f"begins with neither {first}, as its topic does, nor a prefix that the design gives"
    if not (happened.endswith("ed") or happened in _IRREGULAR):
        return f"ends in {happened}, which is no past participle"
    return None
