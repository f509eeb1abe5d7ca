"""One text says how to reach Kafka; what cannot be meant is refused, and its password is not shown."""

import pytest

from tailrace.core.addresses.kafka import KafkaAddress, brokers_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("one:9092,two:9092", KafkaAddress("one:9092,two:9092")),
        ("sasl_plaintext://one:9092", KafkaAddress("one:9092", "sasl_plaintext")),
        ("ssl://one:9092?ca=%2Fetc%2Fca.pem", KafkaAddress("one:9092", "ssl", ca="/etc/ca.pem")),
        (
            "sasl_ssl://a%40b:p%3Aq%2F%3F%23@one:9092,two:9092?mechanism=PLAIN&ca=%2Fca",
            KafkaAddress("one:9092,two:9092", "sasl_ssl", "a@b", "p:q/?#", "PLAIN", "/ca"),
        ),
        (
            "ssl://one:9092?ca=%2Fca&cert=%2Fown.pem&key=%2Fown.key",
            KafkaAddress("one:9092", "ssl", ca="/ca", cert="/own.pem", key="/own.key"),
        ),
        (
            "sasl_ssl://orders:p@one:9092?mechanism=OAUTHBEARER&token_url=http%3A%2F%2Fidentity%2Ftoken&scope=kafka",
            KafkaAddress(
                "one:9092", "sasl_ssl", "orders", "p", "OAUTHBEARER", token_url="http://identity/token", scope="kafka"
            ),
        ),
    ],
)
def test_a_text_and_an_address_say_the_same(text: str, address: KafkaAddress) -> None:
    assert KafkaAddress.parse(text) == address
    assert address.text() == text
    assert brokers_of(text) == address.brokers
    if address.protocol.startswith("sasl"):
        assert KafkaAddress.parse(address.as_user("u", "ü&=").text()).password == "ü&="


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kafka://one:9092", "kafka://"),
        ("sasl_ssl://u:hidden@one:9092?mechanism=GSSAPI", "GSSAPI"),
        ("sasl_ssl://u:hidden@one:9092?mechanism=OAUTHBEARER", "token_url"),
        ("ssl://one:9092?mechanism=OAUTHBEARER&token_url=http://i", "sasl_ssl"),
        ("sasl_ssl://u:hidden@one:9092?token_url=http://i", "token_url"),
        ("sasl_ssl://u:hidden@one:9092?scope=kafka", "scope"),
        ("sasl_plaintext://u:hidden@one:9092?ca=/ca", "ca"),
        ("sasl_plaintext://u:hidden@one:9092?cert=/own.pem", "cert"),
        ("ssl://one:9092?key=/own.key", "no cert"),
        ("sasl_ssl://u:hidden@one:9092?sslmode=verify-full", "sslmode"),
    ],
)
def test_what_is_not_known_is_refused_without_the_password(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        KafkaAddress.parse(text)
    assert "hidden" not in str(refused.value)


def test_each_process_puts_itself_into_the_paths_of_its_certificate() -> None:
    shared = KafkaAddress.parse("ssl://one:1?cert=/etc/{user}.pem&key=/etc/{user}.key")
    assert shared.wants_user
    own = shared.as_user("orders", "not said")
    assert (own.cert, own.key, own.wants_user) == ("/etc/orders.pem", "/etc/orders.key", False)
    assert "not said" not in own.text()
    assert not KafkaAddress.parse("ssl://one:1?cert=/etc/own.pem").wants_user


def test_only_a_login_that_names_nobody_wants_a_user() -> None:
    assert KafkaAddress.parse("sasl_ssl://one:1").wants_user
    assert not KafkaAddress.parse("sasl_ssl://u:p@one:1").wants_user
    assert not KafkaAddress.parse("ssl://one:1").wants_user
    assert "secret" not in repr(KafkaAddress("one:1", "sasl_ssl", "u", "secret"))
