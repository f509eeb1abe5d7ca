"""What a client says that it takes, each with its weight (RFC 9110, section 12.4.2)."""

from starlette.datastructures import Headers


def weighed(headers: Headers, name: str) -> dict[str, float]:
    """The items of `Accept`, `Accept-Encoding` and their like in lower case and in the order sent, each with its weight: from 0, which is not taken,
    to 1. Other parameters are left out. The header may come several times; a weight that is none counts as 0."""
    weights: dict[str, float] = {}
    for each in ",".join(headers.getlist(name)).lower().split(","):
        item, *parameters = (part.strip() for part in each.split(";"))
        if item:
            weights.setdefault(item, _weight(parameters))
    return weights


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
