"""Parcels by number: SSCC, the labels that bear it, and how a company has both."""
