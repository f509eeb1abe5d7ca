"""Selling on credit: what a customer may owe, what they owe and have ordered, and the orders that wait because that is too much."""
