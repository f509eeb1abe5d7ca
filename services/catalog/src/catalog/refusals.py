"""What the catalog refuses, each by a name that a client can tell from the others."""

from tailrace.core.errors import Problem, Refused


class FixedForGood(Refused):
    """409: stock, orders and journals build on this field."""

    slug, title = "fixed", "This field does not change"


class InUse(Refused):
    """409: something live refers to it."""

    slug, title = "in-use", "Still in use"


class NoPrice(Problem):
    """404: the list has no price for that item, quantity and day."""

    status, slug, title = 404, "no-price", "No price"
