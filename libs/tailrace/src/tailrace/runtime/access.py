"""Who may do what at Kafka follows from the manifests: Connect alone writes events, and a service reads what it subscribes to, in its own group.

`rights` is a pure function, and `apply` makes Kafka's access control lists what it says. The operator needs none: tools and repairs are its
work. What nobody is granted, nobody may do (`allow.everyone.if.no.acl.found=false`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tailrace.capture import canary
from tailrace.core.addresses.kafka import CONNECT, CONNECT_GROUP, RESERVED
from tailrace.core.operator_error import OperatorError
from tailrace.kafka import clients
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.service import Service

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

CONNECT_TOPICS = ("connect.configs", "connect.offsets", "connect.status")
HEARTBEATS = "__debezium-heartbeat."
"""How the topics begin that Debezium makes for itself."""
_ITERATIONS = 4096
"""The least that Kafka takes; the passwords are random and long, so that more would only cost time."""
_WITHIN = 30.0


Operation = Literal["READ", "WRITE", "CREATE", "DELETE", "ALTER", "ALTER_CONFIGS", "DESCRIBE_CONFIGS"]
_KEEP: tuple[Operation, ...] = ("READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS")
_MAKE: tuple[Operation, ...] = ("WRITE", "CREATE")
_FILL: tuple[Operation, ...] = ("WRITE", "CREATE", "DELETE")
_OWN: tuple[Literal["TOPIC", "GROUP"], ...] = ("TOPIC", "GROUP")
PARTNERS = "partner."
"""How the users, topics and groups of partners begin."""
CLUSTER = "kafka-cluster"
"""What Kafka calls itself, where something is allowed about all of it."""


class Right(NamedTuple):
    """One line of the lists: this user may do this with what has that name, or, `prefixed`, a name that begins so."""

    user: str
    operation: Operation
    resource: Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID", "BROKER"]
    """`BROKER` is what the client calls Kafka's CLUSTER."""
    name: str
    pattern: Literal["LITERAL", "PREFIXED"] = "LITERAL"


def rights(services: Sequence[Service]) -> frozenset[Right]:
    """Those of Connect and of every service. To read or to write a topic includes to describe it."""
    found = set(rights_of_connect(services))
    for service in services:
        found |= rights_of(service)
    return frozenset(found)


def rights_of(service: Service) -> frozenset[Right]:
    """A service's own user, which has its name. Raises ValueError for a name that a user of the installation's has, who may do more."""
    name = service.name
    if name in RESERVED:
        raise ValueError(f"a service cannot be called {name}: that is a user of Kafka who may do more than a service")
    read = {topic for subscriber in service.subscribers for topic in subscriber.topics} | {*service.follows}
    if service.topic is not None:
        read.add(canary.TOPIC)  # what of its outbox arrived, before it deletes any
    found = {Right(name, "READ", "TOPIC", topic) for topic in read}
    found |= {Right(name, "WRITE", "TOPIC", topic) for topic in service.tells}
    if service.subscribers:
        found.add(Right(name, "READ", "GROUP", name))
    if service.gives_access:
        found.add(Right(name, "ALTER", "BROKER", CLUSTER))
        found.add(Right(name, "ALTER_CONFIGS", "BROKER", CLUSTER))  # quotas
        found.add(Right(name, "READ", "GROUP", f"{name}.", "PREFIXED"))
        found.add(Right(name, "READ", "TOPIC", PARTNERS, "PREFIXED"))
        found.add(Right(name, "WRITE", "TRANSACTIONAL_ID", f"{name}.", "PREFIXED"))
    return frozenset(found)


def rights_of_connect(services: Iterable[Service]) -> frozenset[Right]:
    """It writes what outboxes hold, dead letters among it, keeps its own topics, and makes those of Debezium's heartbeats."""
    topics = {canary.TOPIC}
    for service in services:
        if service.topic is not None:
            topics |= {service.topic, dlq_topic(service.name)}
    found = {Right(CONNECT, "WRITE", "TOPIC", topic) for topic in topics}
    for topic in CONNECT_TOPICS:
        found |= {Right(CONNECT, operation, "TOPIC", topic) for operation in _KEEP}
    found |= {Right(CONNECT, operation, "TOPIC", HEARTBEATS, "PREFIXED") for operation in _MAKE}
    found.add(Right(CONNECT, "READ", "GROUP", CONNECT_GROUP))
    return frozenset(found)


def rights_of_reader(user: str, topics: Iterable[str]) -> frozenset[Right]:
    """Of a system that is no service: it reads these topics, in groups whose names begin with its own and a dot."""
    return frozenset(
        {
            *(Right(user, "READ", "TOPIC", topic) for topic in topics),
            Right(user, "READ", "GROUP", f"{user}.", "PREFIXED"),
        }
    )


def rights_of_partner(user: str) -> frozenset[Right]:
    """Of a system outside that has topics of its own: it reads those, in groups of its own. The names of both begin with its own and a dot."""
    return frozenset(Right(user, "READ", kind, f"{user}.", "PREFIXED") for kind in _OWN)


def rights_to_fill(service: str, user: str) -> frozenset[Right]:
    """Of the service that makes a partner's topics, fills them, and takes them away."""
    return frozenset(Right(service, operation, "TOPIC", f"{user}.", "PREFIXED") for operation in _FILL)


def grant(address: str, wanted: Iterable[Right]) -> None:
    """Let the users do this too. Raises `OperatorError`."""
    admin = _admin(address)
    _done(admin.create_acls([_binding(right) for right in sorted(wanted)]))


def take_back(address: str, given: Iterable[Right]) -> None:
    """Let the users do this no more; what they may not do anyway is passed over. Raises `OperatorError`."""
    from confluent_kafka.admin import AclBindingFilter

    admin = _admin(address)
    _done(admin.delete_acls([_binding(right, AclBindingFilter) for right in sorted(given)]))


def apply(address: str, wanted: Iterable[Right], whole: Collection[str]) -> tuple[int, int]:
    """Grant what is missing, and take back from the users in `whole` what is not wanted any more; how many that were. Raises `OperatorError`.

    Of other users it takes nothing: a partner's rights were given by hand, and Connect's also come from services that are prepared elsewhere.
    """
    admin, wanted = _admin(address), set(wanted)
    present = _present(admin)
    missing, stale = (
        wanted - present,
        {right for right in present - wanted if right.user in whole and not _fills(right)},
    )
    if missing:
        _done(admin.create_acls([_binding(right) for right in sorted(missing)]))
    if stale:
        from confluent_kafka.admin import AclBindingFilter

        _done(admin.delete_acls([_binding(right, AclBindingFilter) for right in sorted(stale)]))
    return len(missing), len(stale)


def _fills(right: Right) -> bool:
    """Whether a service was given this for a partner, while it ran."""
    return right.operation in _FILL and right.pattern == "PREFIXED" and right.name.startswith(PARTNERS)


def make_users(address: str, passwords: Mapping[str, str]) -> int:
    """Make the users that are missing, who log in by SCRAM; how many that were. Raises `OperatorError`."""
    admin = _admin(address)
    known = _answer(admin.describe_user_scram_credentials())
    missing = passwords.keys() - known.keys()
    _set_passwords(admin, {user: passwords[user] for user in missing})
    return len(missing)


def set_password(address: str, user: str, password: str) -> None:
    """From now on the user logs in with this, and with no other. Raises `OperatorError`."""
    _set_passwords(_admin(address), {user: password})


def _set_passwords(admin: "AdminClient", passwords: Mapping[str, str]) -> None:
    from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    changes = [UserScramCredentialUpsertion(user, info, word.encode()) for user, word in passwords.items()]
    if changes:
        _done(admin.alter_user_scram_credentials(changes))


def remove_user(address: str, user: str) -> None:
    """Take back what the user may do, which holds at once, and its password. Raises `OperatorError`, also for one that is not there."""
    from confluent_kafka.admin import ScramMechanism, UserScramCredentialDeletion

    apply(address, [], [user])
    admin = _admin(address)  # kept till the answer is there: an answer does not keep its client
    _done(admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)]))


def forget_user(address: str, user: str) -> None:
    """Take its password away, if it has one: it cannot log in any more. Raises `OperatorError`."""
    from confluent_kafka.admin import ScramMechanism, UserScramCredentialDeletion

    admin = _admin(address)
    if user in _answer(admin.describe_user_scram_credentials()):
        _done(admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)]))


def _admin(address: str) -> "AdminClient":
    from confluent_kafka.admin import AdminClient

    return AdminClient({"client.id": "tailrace-access", **clients.connection_of_librdkafka(address)})


def _present(admin: "AdminClient") -> set[Right]:
    """What is allowed to any named user from anywhere."""
    from confluent_kafka.admin import (
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ALLOW
    )
    found = set()
    for line in _answer(admin.describe_acls(every)):
        kind, _, user = line.principal.partition(":")
        if kind == "User" and user != "*" and line.host == "*":
            what: Any = (line.operation.name, line.restype.name, line.name, line.resource_pattern_type.name)
            found.add(Right(user, *what))
    return found


def _binding(right: Right, kind: Any = None) -> Any:
    from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

    return (kind or AclBinding)(
        ResourceType[right.resource],
        right.name,
        ResourcePatternType[right.pattern],
        f"User:{right.user}",
        "*",
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _done(asked: "Mapping[Any, Future[Any]]") -> None:
    for answer in asked.values():
        _answer(answer)


def _answer(asked: "Future[Any]") -> Any:
    from confluent_kafka import KafkaException

    try:
        return asked.result(timeout=_WITHIN)
    except (KafkaException, TimeoutError) as error:
        raise OperatorError(
            f"Kafka does not take its users and access control lists: {error}",
            "does the user that TAILRACE_KAFKA names have the right to alter the cluster, and does Kafka have an authorizer?",
        ) from error
