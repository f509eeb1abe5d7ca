"""What is read, kept and compared: texts, fields, amounts, quantities and days, each with its one set of rules."""
