"""Analytics: what managers ask, answered from what every context told, as of now and of any past day."""
