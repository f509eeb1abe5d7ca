"""Typeset documents: data and a layout become PDF/A, within bounds, whoever wrote the template."""

from tailrace.documents.typesetting import typeset

__all__ = ["typeset"]
