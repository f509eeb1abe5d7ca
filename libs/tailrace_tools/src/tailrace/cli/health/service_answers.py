"""What a service says of itself at `/health/ready`, and in words."""

import json
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

Answer = dict[str, Any]
"""`ready`, `answer`, and its dead letters, consumer and subscribers that read history (`redrive.reminder`)."""
_KNOWN = ("dead_letter", "backfilling", "consumer")


def ask(base: str) -> Answer:
    """One question, within two seconds; what gets no answer is not ready."""
    try:
        with urllib.request.urlopen(f"{base}/health/ready", timeout=2) as response:
            return {"ready": True, "answer": "ready", **_known(response.read())}
    except urllib.error.HTTPError as error:
        body = error.read(2000)
        return {"ready": False, "answer": body[:200].decode(errors="replace"), **_known(body)}
    except OSError as error:
        return {"ready": False, "answer": str(getattr(error, "reason", error))}


def _known(body: bytes) -> Answer:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return {name: value for name, value in said.items() if name.startswith(_KNOWN)} if isinstance(said, dict) else {}


def told_dead_letters(service: Answer) -> str:
    """`3 dead letters (2 behind, 1 gap), the oldest for 5 min 2 s`; empty without any, or when the service does not answer."""
    if not service.get("dead_letters"):
        return ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in service["dead_letter_kinds"].items())
    age = time.time() - datetime.fromisoformat(service["dead_letters_since"]).timestamp()
    count = service["dead_letters"]
    letters = "dead letter" if count == 1 else "dead letters"
    return f"{count} {letters} ({kinds}), the oldest for {span(max(age, 0))}"


def told_reading(service: Answer) -> str:
    """What a service says of its subscribers that still read history; empty when none does."""
    reading = service.get("backfilling", {})
    told = [f"{name} {each['read']:,} of {each['of']:,} events" for name, each in reading.items()]
    return f"backfilling: {', '.join(told)}" if told else ""


def span(seconds: float) -> str:
    """`2 h 5 min`, `3 min 4 s` or `5 s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
