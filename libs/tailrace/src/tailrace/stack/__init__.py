"""The embedded stack: real PostgreSQL, Kafka and Kafka Connect as ordinary processes under one folder.

`Stack` runs it inside this process (tests); `tailrace up` runs it in a process of its own (`daemon.py`).
"""

from tailrace.stack.embedded import Stack as Stack
from tailrace.stack.errors import StackError as StackError
from tailrace.stack.layout import Ports as Ports
