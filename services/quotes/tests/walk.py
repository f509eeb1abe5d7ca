"""Every operation of quotes once, for the conformance suite, which tries each step in all the ways that must be refused first."""

from invariants.walk import Walker

AT = "/v1/quotes"


async def walk(w: Walker) -> None:
    first = await w.post(AT, {"code": "A1", "name": "First"})
    await w.post(AT, {"code": "A2", "name": "Second"})
    await w.get(AT)
    await w.get(f"{AT}/tally")
    here, ids = f"{AT}/{{quote_id}}", {"quote_id": first["id"]}
    await w.get(here, **ids)
    await w.put(here, {"code": "A1", "name": "Better"}, **ids)
    await w.post(f"{here}/retire", **ids)
