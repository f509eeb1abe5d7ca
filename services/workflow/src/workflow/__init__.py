"""Workflow: who has to approve a document before it takes effect, by processes that a company can change."""
