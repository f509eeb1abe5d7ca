"""/v1/tax-codes and /v1/tax-policy: what sales are taxed at, and how tax is rounded, each with the days from which it holds."""

from typing import Annotated
from uuid import UUID

from catalog import commands
from catalog.bodies import TaxCodeBody, TaxPolicyBody
from catalog.models import TaxCode, TaxPolicy
from catalog.scopes import Reader, Writer
from catalog.views import TaxCodeView, TaxPolicyView
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.filters import Deleted, called, part_of
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

_ABOUT = "What sales are taxed at, and how tax is rounded."
codes = tenant_router("/v1/tax-codes", tag="taxes", about=_ABOUT)
policy = tenant_router("/v1/tax-policy", tag="taxes", about=_ABOUT)

TaxCodes = Annotated[
    PageRequest,
    listed(
        TaxCode,
        called(TaxCode),
        part_of(TaxCode.name),
        sort=[TaxCode.code, TaxCode.name, TaxCode.created_at],
    ),
]


@codes.post("", status_code=201, response_model=TaxCodeView)
async def create_tax_code(tx: Tx, who: Writer, body: TaxCodeBody) -> TaxCode:
    """Add a tax code."""
    return await master_data.create(tx, TaxCode, body.model_dump(mode="json"))


@codes.get("", response_model=Page[TaxCodeView])
async def list_tax_codes(tx: Tx, who: Reader, page: TaxCodes, deleted: Deleted = False) -> Listing[TaxCode]:
    """Tax codes."""
    return await paginate(tx, master_data.rows(TaxCode, deleted=deleted), page)


@codes.get("/{tax_code_id}", response_model=TaxCodeView)
async def read_tax_code(tx: Tx, who: Reader, tax_code_id: UUID) -> TaxCode:
    """One tax code."""
    return await tx.find(TaxCode, tax_code_id)


@codes.put("/{tax_code_id}", response_model=TaxCodeView)
async def replace_tax_code(tx: Tx, who: Writer, match: IfMatch, tax_code_id: UUID, body: TaxCodeBody) -> TaxCode:
    """Replace a tax code, whole, all its rates included. Orders that are confirmed keep the rate they have."""
    return await master_data.replace(tx, TaxCode, tax_code_id, match, body.model_dump(mode="json"))


@codes.delete("/{tax_code_id}", status_code=204)
async def delete_tax_code(tx: Tx, who: Writer, match: IfMatch, tax_code_id: UUID) -> None:
    """Take a tax code out of use, unless an item is still taxed by it."""
    await master_data.delete(tx, TaxCode, tax_code_id, match)


@codes.post("/{tax_code_id}/restore", response_model=TaxCodeView)
async def restore_tax_code(tx: Tx, who: Writer, match: IfMatch, tax_code_id: UUID) -> TaxCode:
    """Take a deleted tax code back into use, as it was, unless another one has its code by now."""
    return await master_data.restore(tx, TaxCode, tax_code_id, match)


@policy.get("", response_model=TaxPolicyView)
async def read_tax_policy(tx: Tx, who: Reader) -> TaxPolicy | TaxPolicyView:
    """How tax is rounded."""
    return await commands.tax_policy(tx) or TaxPolicyView()


@policy.put("", response_model=TaxPolicyView)
async def replace_tax_policy(tx: Tx, who: Writer, match: IfMatch, body: TaxPolicyBody) -> TaxPolicy:
    """Replace how tax is rounded, whole. Orders that are confirmed keep the tax they have."""
    return await commands.replace_tax_policy(tx, match, body.roundings)
