"""Files of rows in and out: imports through the commands that HTTP uses, exports of what lists show."""
