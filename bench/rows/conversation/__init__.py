"""Rows of work with a model: turns of the loop, the provider's first byte, sessions, many runs."""
