"""What a request costs within one service, beside one written as FastAPI's and SQLAlchemy's documentation shows: see `__main__`."""
