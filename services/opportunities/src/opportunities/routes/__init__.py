"""Leads and opportunities over HTTP. Policy, paging and preconditions show in each signature; the commands decide the rest."""
