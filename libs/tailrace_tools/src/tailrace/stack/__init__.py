"""The embedded stack: real PostgreSQL, Kafka and Kafka Connect as ordinary processes under one folder.

`embedded.Stack` runs it inside the caller's process (tests); `tailrace up` runs `daemon`, a process of its own. Nothing is
imported here, so that `tailrace status` answers at once.
"""
