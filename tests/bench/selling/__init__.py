"""How long a forecast, a board and a page take, of a hundred thousand opportunities."""
