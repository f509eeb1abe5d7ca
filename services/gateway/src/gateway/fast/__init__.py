"""The fast path: a plain request goes to its service, and its answer to the client, within the protocol of uvicorn and before ASGI knows of it.

It is a straight line, and whatever bends takes the ASGI path, which does all that there is to do. Nothing is decided here but by
the functions that the ASGI path calls: `read_head`, `Admission`, `InFlight`, `handed_on`, `answer_headers`, `Coding`, `completed`, `Accesses`. To
follow a request, read in this order:

1. `protocol`: a piece of bytes arrives. When nothing else is under way on the connection, `FastDoor.enter` looks at it.
2. `request`: is it one whole request, and so plain that no two parsers read it differently? If not, h11 gets the bytes, and the ASGI path what it
   makes of them. Nothing was done yet, so nothing can differ.
3. `door`: its route, its token (known, good, not revoked), a connection to the service that is idle, a place among what the process works on, the
   tenant's allowance, a place among what the tenant has under way. What is unknown takes the ASGI path; what is refused is refused there.
4. `pool`: the request is written to the service, on a connection that it has for itself until the answer is whole; `answer` reads that strictly.
5. `exchange`: the answer is written to the client, and the request counted, logged and told of.

Screens and GraphQL, which come by the ASGI path, read from services on the same connections: `part`.

What turns out not to be plain once the service was asked (its answer comes in chunks, or late, or not at all) is `Begun`: the ASGI path goes on
with it from there (`gateway.begun`).
"""
