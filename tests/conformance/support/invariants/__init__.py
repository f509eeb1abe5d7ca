"""The invariants that every service holds, as functions that look at one service and say what they find wrong."""
