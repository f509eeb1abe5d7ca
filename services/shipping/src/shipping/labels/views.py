"""How parcels are numbered and labelled, as clients are shown it."""

from shipping.labels.models import Language
from tailrace.http.routing import View


class LabellingView(View):
    company_prefix: str | None
    """The GS1 company prefix; null while nobody has said one, and parcels get no SSCC."""
    extension_digit: int
    """What stands before the prefix."""
    sender: str
    """Who sends, as it is printed."""
    language: Language
    """What labels are printed in."""
