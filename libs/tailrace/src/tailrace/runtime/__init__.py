"""A manifest becomes an app, a process, a fleet. Wiring alone; nothing is decided here."""
