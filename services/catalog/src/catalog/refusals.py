"""What the catalog refuses, each by a name that a client can tell from the others."""

from tailrace.core.errors import Invalid, Problem


class Incompatible(Invalid):
    """422: no way leads from one unit to the other, as from a mass to a length."""

    slug, title = "units-incompatible", "These units do not convert into one another"


class Inexact(Invalid):
    """422: the result has more decimals than the unit allows. It is never rounded."""

    slug, title = "conversion-inexact", "Not expressible exactly in this unit"


class NoPrice(Problem):
    """404: the list has no price for that item, quantity and day."""

    status, slug, title = 404, "no-price", "No price"
