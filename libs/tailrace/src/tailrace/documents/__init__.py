"""Typeset documents: data and a layout become PDF/A, within bounds that hold for any template."""

from tailrace.documents.typesetting import typeset

__all__ = ["typeset"]
