"""Programs that people chat in, as their incoming webhooks answer: Slack with `ok`, Teams with 202, and both refuse what is not their form."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from stubs.books import Key, books_of

router = APIRouter(prefix="/chat")


class SlackText(BaseModel):
    type: Literal["plain_text", "mrkdwn"]
    text: str = Field(min_length=1, max_length=3000)


class SlackBlock(BaseModel):
    type: Literal["header", "section", "context", "divider", "actions"]
    text: SlackText | None = None
    elements: list[dict[str, Any]] = []


class SlackMessage(BaseModel):
    text: str = Field(min_length=1)
    blocks: list[SlackBlock] = Field(default=[], max_length=50)


class Card(BaseModel):
    type: Literal["AdaptiveCard"]
    version: str = Field(pattern=r"^1\.\d$")
    body: list[dict[str, Any]] = Field(min_length=1)


class CardAttachment(BaseModel):
    contentType: Literal["application/vnd.microsoft.card.adaptive"]  # noqa: N815  (as Teams has it)
    content: Card


class TeamsMessage(BaseModel):
    type: Literal["message"]
    attachments: list[CardAttachment] = Field(min_length=1)


@router.post("/slack/{hook:path}")
async def post_to_slack(request: Request, hook: str, message: SlackMessage, key: Key = None) -> Response:
    """A message in a channel of Slack."""
    _keep(request, "slack", hook, message.model_dump(exclude_none=True), key)
    return Response("ok", media_type="text/plain")


@router.post("/teams/{hook:path}")
async def post_to_teams(request: Request, hook: str, message: TeamsMessage, key: Key = None) -> Response:
    """A card in a channel of Teams."""
    _keep(request, "teams", hook, message.model_dump(exclude_none=True), key)
    return Response(status_code=202)


@router.get("/messages")
async def said(request: Request, hook: str | None = None) -> list[dict[str, Any]]:
    """Everything that was said, first to last; by one hook, with `hook`."""
    return [each for each in books_of(request).kept["chat"].values() if hook in {None, each["hook"]}]


def _keep(request: Request, program: str, hook: str, message: dict[str, Any], key: str | None) -> None:
    books = books_of(request)
    number = books.next("chat", "C")
    books.once("chat", key, {"id": number, "program": program, "hook": hook, **message}, number)
