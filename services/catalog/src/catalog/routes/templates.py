"""/v1/templates and /v1/template-choice: what a standard, an industry or a customer wants things and documents to be like."""

from typing import Annotated
from uuid import UUID

from catalog import templates
from catalog.bodies import TemplateBody, TemplateChoiceBody
from catalog.models import Template, TemplateChoice
from catalog.reactions import standard_templates
from catalog.scopes import Reader, Writer
from catalog.views import TemplateChoiceView, TemplateSummary, TemplateView
from contracts.templates import TemplateLevel
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, called, equal, part_of
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

_ABOUT = "What a standard, an industry or a customer wants things and documents to be like."
router = tenant_router("/v1/templates", tag="templates", about=_ABOUT, reads=[standard_templates])
choice = tenant_router("/v1/template-choice", tag="templates", about=_ABOUT)

Templates = Annotated[
    PageRequest,
    listed(
        Template,
        called(Template),
        part_of(Template.name),
        equal(Template.level, TemplateLevel),
        equal(Template.parent_id),
        sort=[Template.code, Template.name, Template.created_at],
    ),
]


@router.post("", status_code=201, response_model=TemplateView)
async def create_template(tx: Tx, who: Writer, body: TemplateBody) -> Template:
    """Add a template, below another one or as a standard."""
    return await templates.create(tx, body)


@router.get("", response_model=Page[TemplateSummary])
async def list_templates(tx: Tx, who: Reader, page: Templates, deleted: Deleted = False) -> Listing[Template]:
    """Templates, without what they say."""
    return await paginate(tx, master_data.rows(Template, deleted=deleted), page)


@router.get("/{template_id}", response_model=TemplateView)
async def read_template(tx: Tx, who: Reader, template_id: UUID) -> Template:
    """One template: what it says itself, and what holds."""
    return await tx.find(Template, template_id)


@router.put("/{template_id}", response_model=TemplateView)
async def replace_template(tx: Tx, who: Writer, match: IfMatch, template_id: UUID, body: TemplateBody) -> Template:
    """Replace a template, whole. What it says reaches every template below that does not say otherwise; `level` and `parent_id` stay."""
    return await templates.replace(tx, template_id, match, body)


@router.delete("/{template_id}", status_code=204)
async def delete_template(tx: Tx, who: Writer, match: IfMatch, template_id: UUID) -> None:
    """Take a template out of use, unless it is the company's or others are below it."""
    await master_data.delete(tx, Template, template_id, match)


@router.post("/{template_id}/restore", response_model=TemplateView)
async def restore_template(tx: Tx, who: Writer, match: IfMatch, template_id: UUID) -> Template:
    """Take a deleted template back into use with its own settings, and with what its parent says by now."""
    return await templates.restore(tx, template_id, match)


@choice.get("", response_model=TemplateChoiceView)
async def read_template_choice(tx: Tx, who: Reader) -> TemplateChoice | TemplateChoiceView:
    """Which template is the company's."""
    return await templates.chosen(tx) or TemplateChoiceView()


@choice.put("", response_model=TemplateChoiceView)
async def replace_template_choice(tx: Tx, who: Writer, match: IfMatch, body: TemplateChoiceBody) -> TemplateChoice:
    """Choose the company's template. Things that are there keep what they have; what they lack is asked for when they are changed next."""
    return await templates.choose(tx, match, body.template_id)
