"""The broken toys: copies of the toy shop with a mistake patched in, each beside the invariant that must catch it."""

from broken import data, events, files, http, offers, rules, visible
from broken.toy import Toy

TOYS: tuple[Toy, ...] = (*data.TOYS, *rules.TOYS, *events.TOYS, *http.TOYS, *offers.TOYS, *files.TOYS, *visible.TOYS)
