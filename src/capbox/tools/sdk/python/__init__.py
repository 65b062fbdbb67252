"""Tools in Python: one typed function, its dependencies, and the interpreter that they go into."""
