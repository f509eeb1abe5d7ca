"""Requests and answers: routes, tokens, idempotency, versions, pages, problem documents."""
