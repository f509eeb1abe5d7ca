"""Where a database or Kafka is, and with which credentials."""
