"""A client that sends all that it has to send and reads the answer only then, over a plain socket: an answer that is lost is an error here."""

import socket
from collections.abc import Iterable

_TIMEOUT = 300.0


def read_late(port: int, first: bytes, later: Iterable[bytes]) -> bytes:
    """Send `first`, wait until there is an answer, leave it where it is and send what comes `later`; then read to the end of the connection.

    Blocks: call it in a thread. Raises ConnectionError where the other end has closed the connection with bytes unread, or reset it.
    """
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as client:
        client.sendall(first)
        client.recv(1, socket.MSG_PEEK)
        for each in later:
            client.sendall(each)
        client.shutdown(socket.SHUT_WR)
        answer = bytearray()
        while some := client.recv(65_536):
            answer += some
        return bytes(answer)
