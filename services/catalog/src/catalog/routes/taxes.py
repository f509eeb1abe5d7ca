"""/v1/tax-codes and /v1/tax-policy: what sales are taxed at, and how tax is rounded, each with the days from which it holds."""

from catalog import commands
from catalog.bodies import TaxCodeBody, TaxPolicyBody
from catalog.dates import dates, days
from catalog.models import TaxCode, TaxPolicy
from catalog.scopes import Reader, Writer
from catalog.views import TaxCodeView, TaxPolicyView
from tailrace.http.etag import IfMatch
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

_ABOUT = "What sales are taxed at, and how tax is rounded."
codes = tenant_router("/v1/tax-codes", tag="taxes", about=_ABOUT, reads=[days, dates])
policy = tenant_router("/v1/tax-policy", tag="taxes", about=_ABOUT, reads=[days, dates])

master_data_routes(
    codes,
    TaxCode,
    "a tax code",
    body=TaxCodeBody,
    view=TaxCodeView,
    reader=Reader,
    writer=Writer,
    replaces="Replace a tax code, whole, all its rates included. Orders that are confirmed keep the rate they have.",
    deletes="Take a tax code out of use, unless an item is still taxed by it.",
)


@policy.get("", response_model=TaxPolicyView)
async def read_tax_policy(tx: Tx, who: Reader) -> TaxPolicy | TaxPolicyView:
    """How tax is rounded."""
    return await commands.tax_policy(tx) or TaxPolicyView()


@policy.put("", response_model=TaxPolicyView)
async def replace_tax_policy(tx: Tx, who: Writer, match: IfMatch, body: TaxPolicyBody) -> TaxPolicy:
    """Replace how tax is rounded, whole. Orders that are confirmed keep the tax they have."""
    return await commands.replace_tax_policy(tx, match, body.roundings)
