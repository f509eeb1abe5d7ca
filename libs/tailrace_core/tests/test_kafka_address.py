"""One text says how to reach Kafka; what cannot be meant is refused, and its password is not shown."""

import pytest

from tailrace.core.kafka_address import KafkaAddress, brokers_of


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
    ],
)
def test_a_text_and_an_address_say_the_same(text: str, address: KafkaAddress) -> None:
    assert KafkaAddress.parse(text) == address
    assert address.text() == text
    assert brokers_of(text) == address.brokers
    assert KafkaAddress.parse(KafkaAddress("one:1", "sasl_ssl").as_user("u", "ü&=").text()).password == "ü&="


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kafka://one:9092", "kafka://"),
        ("sasl_ssl://u:hidden@one:9092?mechanism=OAUTHBEARER", "OAUTHBEARER"),
        ("sasl_ssl://u:hidden@one:9092?sslmode=verify-full", "sslmode"),
    ],
)
def test_what_is_not_known_is_refused_without_the_password(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        KafkaAddress.parse(text)
    assert "hidden" not in str(refused.value)


def test_only_a_login_that_names_nobody_wants_a_user() -> None:
    assert KafkaAddress.parse("sasl_ssl://one:1").wants_user
    assert not KafkaAddress.parse("sasl_ssl://u:p@one:1").wants_user
    assert not KafkaAddress.parse("ssl://one:1").wants_user
    assert "secret" not in repr(KafkaAddress("one:1", "sasl_ssl", "u", "secret"))
