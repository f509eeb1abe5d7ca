"""`tailrace secret`: what one service is given in a cluster."""


def print_secret(name: str) -> None:
    """The Kubernetes Secret of one service, as JSON for `kubectl apply -f -`, derived from TAILRACE_POSTGRES and TAILRACE_SECRET."""
    import json

    from tailrace.runtime.__main__ import named_services
    from tailrace.settings import Settings

    (service,), settings = named_services([name]), Settings()
    values = {
        "secret": settings.own_secret(name),
        "kafka-user": name,
        "kafka-password": settings.kafka_user_password(name),
    }
    if service.metadata is not None:
        values["database-url"] = settings.database(name)
    if settings.operator_password:
        values["operator-password"] = settings.operator_password
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"tailrace-{name}"}, "stringData": values}
    print(json.dumps(secret, indent=2))
