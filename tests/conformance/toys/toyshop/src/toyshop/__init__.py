"""A small service that keeps every invariant. Broken copies of it show that each invariant catches what it is there for."""
