"""How long it takes to find a customer by a part of a name, among a million."""
