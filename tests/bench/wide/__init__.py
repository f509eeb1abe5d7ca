"""How long the engine of columns takes for wide questions, of five million movements."""
