"""Runs under way: what ties a loop to its record, and how a person reaches into it."""
