"""What the catalog refuses, each by a name that a client can tell from the others."""

from tailrace.core.errors import Problem


class NoPrice(Problem):
    """404: the list has no price for that item, quantity and day."""

    status, slug, title = 404, "no-price", "No price"
