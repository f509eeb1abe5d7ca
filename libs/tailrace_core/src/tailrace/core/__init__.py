"""Events and values: what an event is, what money is, who acts, and why something is refused. Needs pydantic and no server."""
