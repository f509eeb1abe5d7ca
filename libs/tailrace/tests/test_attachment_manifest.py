"""A manifest whose files could not be taken in, told of or cleaned up does not come into being."""

from dataclasses import replace
from typing import Any

import pytest
from filed import filed, files
from toy import Label, service

from tailrace.service import Exposed
from tailrace.storage.attachments import Attachments


@pytest.mark.parametrize(
    ("broken", "saying"),
    [
        ({"attachments": []}, "takes files that `attachments` of toy does not have"),
        ({"routers": service.routers}, "nothing takes the files of label"),
        ({"publishes": service.publishes}, "records label.file_added, which it does not publish"),
        ({"exposes": [Exposed(prefix="/v1/labels")]}, "its prefix lets 2097152 through"),
        (
            {"exposes": [Exposed(prefix="/v1", body_limit=99_000_000), Exposed(prefix="/v1/labels")]},
            "lets 2097152 through",
        ),
        ({"exposes": []}, "its prefix lets 0 through"),
    ],
    ids=["undeclared", "unrouted", "unpublished", "narrow", "narrow below", "unexposed"],
)
def test_it_is_refused(broken: dict[str, Any], saying: str) -> None:
    with pytest.raises(ValueError, match=saying):
        replace(filed, **broken)


def test_a_type_that_no_bytes_tell_is_refused() -> None:
    with pytest.raises(ValueError, match="text/html"):
        Attachments(Label, files.events, media_types=["application/pdf", "text/html"])
