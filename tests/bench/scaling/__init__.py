"""What a platform of many companies needs, by arithmetic from measured figures, and a simulation that checks it."""
