"""Drills: what an operator is to survive, done for real on a stack of its own. One command each, which prints its figures."""
