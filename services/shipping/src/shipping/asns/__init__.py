"""Advance shipping notices: which parcels are on their way to somebody, and which came."""
