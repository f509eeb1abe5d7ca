"""What the partners refuse, and the name each refusal goes by."""

from tailrace.core.errors import Refused


class OnItsWay(Refused):
    """409: it was picked up, and cannot be called back."""

    slug, title = "on-its-way", "On its way"
