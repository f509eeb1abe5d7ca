"""Names that follow from a service's name, wherever they are needed."""


def slot_name(service: str) -> str:
    """The replication slot of a service's outbox."""
    return f"{service.replace('-', '_')}_outbox"
