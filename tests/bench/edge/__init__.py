"""The gateway alone, beside proxies that others run: see `__main__`."""
