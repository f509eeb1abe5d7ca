"""How long the four reports take, of a million rows that they add up."""
