"""What holds of every file that is handed out: a browser saves it and runs nothing of it, whatever is in it."""

from invariants.steps import Answer
from invariants.subject import Findings, Subject

_DATA = ("application/json", "application/problem+json")


async def what_is_no_data_is_saved_and_never_shown(subject: Subject) -> Findings:
    """An answer that is not JSON is a download (RFC 6266), and no browser guesses another type for it: an SVG that is opened acts as its reader."""
    found = []
    for step in (await subject.walked()).steps:
        for answer in (answer for answer in step.answers.values() if answer.status < 300 and _has_content(answer)):
            kind = answer.headers.get("content-type", "").partition(";")[0]
            if kind in _DATA:
                continue
            if not answer.headers.get("content-disposition", "").startswith("attachment"):
                found.append(f"{step.name} shows {kind or 'something'} instead of letting it be saved")
            if answer.headers.get("x-content-type-options") != "nosniff":
                found.append(f"{step.name} lets a browser guess what {kind or 'something'} is")
    return found


def _has_content(answer: Answer) -> bool:
    return bool(answer.text)
